//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Who owns what? Ownership through chains and rings of cross-holdings.
#[derive(Debug, Parser)]
#[command(name = "stakegraph", version, propagate_version = true)]
pub(super) struct Flags {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the whole system: API, workers, notifier and sweeper
    Serve(ServeFlags),
    /// Run one job through the whole system, and leave its files in a folder
    Run(RunFlags),
    /// Look into a file: its format, stakes and findings, without a job
    Inspect(InspectFlags),
    /// Run the embedded engines alone, for functions that run elsewhere
    Engines(EnginesFlags),
    #[command(flatten)]
    Remote(RemoteCommand),
}

#[derive(Debug, Args)]
pub(super) struct ServeFlags {
    /// Where the API listens
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(super) listen: SocketAddr,
    /// Where the data lies
    #[arg(long, default_value = ".data", value_name = "DIR")]
    pub(super) data: PathBuf,
    /// Jobs that run at once [default: two for each core]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) workers: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct EnginesFlags {
    /// Where the data lies
    #[arg(long, default_value = ".data", value_name = "DIR")]
    pub(super) data: PathBuf,
    /// The access key that requests must be signed with
    #[arg(long, default_value = "stakegraph", value_name = "KEY")]
    pub(super) access_key: String,
    /// The secret key that requests must be signed with
    #[arg(
        long,
        env = "STAKEGRAPH_SECRET_KEY",
        hide_env_values = true,
        default_value = "stakegraph-local-secret",
        value_name = "SECRET"
    )]
    pub(super) secret_key: String,
    /// Where functions run as Lambdas, such as `cargo lambda watch`: messages and a clock then invoke them there
    #[arg(long, value_name = "URL", requires = "command")]
    pub(super) functions: Option<String>,
    /// A command to run with the variables set; the engines end when it does
    #[arg(last = true, requires = "functions", value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct RunFlags {
    #[command(flatten)]
    pub(super) job: JobFlags,
    /// Where to leave the files
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(super) out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct InspectFlags {
    /// The file of stakes
    pub(super) file: PathBuf,
    /// The format of the file; found from its name and content if left out
    #[arg(long)]
    pub(super) format: Option<String>,
    /// The header's names of owner, owned and share, or their positions from 1
    #[arg(long, value_name = "OWNER,OWNED,SHARE")]
    pub(super) columns: Option<String>,
    /// How shares are written
    #[arg(long, value_enum)]
    pub(super) unit: Option<UnitFlag>,
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A job to ask for.
#[derive(Debug, Args)]
pub(super) struct JobFlags {
    /// The job type, such as integrated-ownership
    #[arg(value_name = "TYPE")]
    pub(super) job_type: String,
    /// The file of stakes, or of amounts for a job type that takes them
    pub(super) file: PathBuf,
    /// The format of the file; found from its name and content if left out
    #[arg(long)]
    pub(super) format: Option<String>,
    /// The header's names of owner, owned and share (or creditor, debtor and amount), or their positions from 1
    #[arg(long, value_name = "OWNER,OWNED,SHARE")]
    pub(super) columns: Option<String>,
    /// How shares are written
    #[arg(long, value_enum)]
    pub(super) unit: Option<UnitFlag>,
    /// A file of company,value (or what the job type calls it), for a job type that takes values
    #[arg(long, value_name = "FILE")]
    pub(super) values: Option<PathBuf>,
    /// A parameter of the job type; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(super) parameters: Vec<String>,
}

/// How shares are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum UnitFlag {
    /// From 0 to 1
    Fraction,
    /// From 0 to 100
    Percent,
}

impl UnitFlag {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Percent => "percent",
        }
    }
}

/// Commands on a running system.
#[derive(Debug, Subcommand)]
pub(super) enum RemoteCommand {
    /// Submit a job to a running system
    Submit {
        #[command(flatten)]
        job: JobFlags,
        /// Told once the job ends; may contain {job_id}
        #[arg(long, value_name = "URL")]
        callback_url: Option<String>,
        /// Watch the job until it ends
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        at: Remote,
    },
    /// List jobs, newest first
    List {
        /// Only those in this status
        #[arg(long)]
        status: Option<String>,
        /// Only those of this type
        #[arg(long = "type", value_name = "TYPE")]
        job_type: Option<String>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        at: Remote,
    },
    /// Look at a job
    Status {
        /// The job's UUID
        id: String,
        #[command(flatten)]
        at: Remote,
    },
    /// Watch a job until it ends
    Watch {
        /// The job's UUID
        id: String,
        #[command(flatten)]
        at: Remote,
    },
    /// Stop a job
    Revoke {
        /// The job's UUID
        id: String,
        #[command(flatten)]
        at: Remote,
    },
    /// Try a failed or revoked job again
    Retry {
        /// The job's UUID
        id: String,
        #[command(flatten)]
        at: Remote,
    },
    /// List the files of a job, or fetch them
    Reports {
        /// The job's UUID
        id: String,
        /// Fetch them into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        at: Remote,
    },
}

/// Which system, and how to answer.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// The system's API
    #[arg(long, env = "STAKEGRAPH_URL", default_value = "http://127.0.0.1:8080")]
    pub(super) url: String,
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
}
