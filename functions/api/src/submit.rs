//! Accepting a job.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use formats::{Format, InlineStake, InlineValue};
use jobs::protocol::State as Life;
use jobs::{Created, Error, Idempotency, Input, Job, JobId, Source, Timestamp, ValuesInput};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::body::JsonBody;
use crate::codes::Code;
use crate::idempotency::IdempotencyKey;
use crate::uploads::{input_key, new_upload};
use crate::wire::JobView;
use crate::{Api, Problem, TENANT};

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobRequest {
    /// A name that `GET /job-types` lists.
    #[serde(rename = "type")]
    #[schema(example = "integrated-ownership")]
    job_type: String,
    /// The stakes.
    input: InputRequest,
    /// Parameters of the job type; those left out have defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: Value,
    /// Told once the job ends. May contain `{job_id}`.
    #[serde(default)]
    callback_url: Option<String>,
}

/// Stakes: either `stakes` or `upload`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InputRequest {
    /// A small graph; `creditor`, `debtor` and `amount` are understood too, where the job type takes claims.
    #[schema(value_type = Option<Vec<Object>>, example = json!([{"owner": "A", "owned": "Foo", "share": 0.33}]))]
    stakes: Option<Vec<InlineStake>>,
    /// The id that `POST /uploads` gave.
    upload: Option<String>,
    /// The file's name; may name its format.
    name: Option<String>,
    /// Overrides what the name and the content say.
    format: Option<String>,
    /// The three fields of the header that hold owner, owned and share.
    columns: Option<[String; 3]>,
    /// `fraction` (default) or `percent`.
    unit: Option<String>,
    /// A value for each company, where the job type takes them.
    values: Option<ValuesRequest>,
}

/// Values of companies: an upload, or a short list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "values are {\"upload\": ID} or a list of {\"company\": NAME, \"value\": NUMBER}"
)]
enum ValuesRequest {
    Upload(ValuesUpload),
    #[schema(value_type = Vec<Object>, example = json!([{"company": "Foo", "value": 125.5}]))]
    Inline(Vec<InlineValue>),
}

/// A file of values: CSV with a header, columns `company` and `value`, or what the job type calls the value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ValuesUpload {
    /// The id that `POST /uploads` gave.
    upload: String,
    /// The file's name.
    name: Option<String>,
}

/// An accepted job, and where to look for it.
pub(crate) type Accepted = (StatusCode, [(HeaderName, String); 2], Json<JobView>);

/// Accept a job.
#[utoipa::path(post, path = "/jobs", operation_id = "submit", request_body = JobRequest,
    params(("Idempotency-Key" = Option<String>, Header,
            description = "The same key with the same body is the same job, and gets the first answer again, for 24 hours")),
    responses(
        (status = 202, body = JobView, description = "Accepted", headers(("Location" = String), ("Retry-After" = u32))),
        (status = 400, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn submit(
    State(api): State<Api>,
    key: IdempotencyKey,
    body: JsonBody<JobRequest>,
) -> Result<Accepted, Problem> {
    let idempotency = key.promises(body.digest);
    let draft = Draft::of(&api, body.value);
    // To accept finds a request that came before. One that is now refused, or that says where its input is, looks first.
    if !draft.as_ref().is_ok_and(Draft::is_whole)
        && let Some(answer) = answered(&api, idempotency.as_ref()).await?
    {
        return Ok(answer);
    }
    let draft = draft?;
    let input = place(&api, draft.input, draft.stakes, draft.values).await?;
    let now = api.clients.store.clock().now();
    let job = Job {
        id: JobId::generate(),
        tenant: TENANT.to_owned(),
        job_type: draft.job_type,
        parameters: jobs::Json(draft.parameters),
        input,
        callback_url: draft.callback_url,
        retry_of: None,
        created_at: now,
        expires_at: api.expires_at(now),
        state: Life::accepted(now, api.clients.store.limits()),
    };
    accept(&api, job, idempotency.as_ref()).await
}

/// What was answered when the same request came before under the same key, whatever became of its input since.
pub(crate) async fn answered(api: &Api, idempotency: Option<&Idempotency>) -> Result<Option<Accepted>, Problem> {
    let Some(idempotency) = idempotency else {
        return Ok(None);
    };
    match api.clients.store.accepted_before(TENANT, idempotency).await? {
        None => Ok(None),
        Some(id) => first_answer(api, id).await.map(Some),
    }
}

/// Makes the job durable, then sends the message. If the message is lost, the sweeper sends another.
pub(crate) async fn accept(api: &Api, job: Job, idempotency: Option<&Idempotency>) -> Result<Accepted, Problem> {
    match api.clients.store.create(&job, idempotency).await? {
        Created::New => {}
        Created::Before(id) => return first_answer(api, id).await,
    }
    tracing::info!(job_id = %job.id, job_type = job.job_type, "job accepted");
    if let Err(error) = api.clients.jobs.send(job.id, 0).await {
        tracing::warn!(job_id = %job.id, error = error.with_causes(), "left to the sweeper");
    }
    Ok(answer(job))
}

/// The answer that the call got which was accepted as job `id`: the job as it was then, whatever became of it since.
async fn first_answer(api: &Api, id: JobId) -> Result<Accepted, Problem> {
    let job = api.clients.store.get(id).await?;
    let state = Life::accepted(job.created_at, api.clients.store.limits());
    Ok(answer(Job { state, ..job }))
}

fn answer(job: Job) -> Accepted {
    let headers = [
        (header::LOCATION, format!("/jobs/{}", job.id)),
        (header::RETRY_AFTER, "1".to_owned()),
    ];
    (StatusCode::ACCEPTED, headers, Json(job.into()))
}

impl Api {
    pub(crate) fn expires_at(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(i64::from(self.settings.keep_days) * 24 * 3_600_000)
    }
}

fn check_callback(api: &Api, url: Option<&str>) -> Result<(), Problem> {
    const LONGEST: usize = 2048;
    let Some(url) = url else { return Ok(()) };
    let refuse = |why: String| Problem::bad_request(Code::InvalidCallbackUrl, "callback_url", why);
    if url.len() > LONGEST {
        return Err(refuse(format!("longer than {LONGEST} bytes")));
    }
    let filled = url.replace("{job_id}", &JobId::generate().to_string());
    match api.settings.callbacks.check(&filled) {
        Ok(_) => Ok(()),
        Err(refused) => Err(refuse(refused.to_string())),
    }
}

fn check_values(api: &Api, request: &JobRequest) -> Result<(), Problem> {
    let job_type = api.registry.get(&request.job_type)?;
    if request.input.values.is_none() && job_type.needs_values {
        return Err(Problem::bad_request(
            Code::ValuesNeeded,
            "input.values",
            format!(
                "job type {} needs a second file, with a value for each company (--values on the command line)",
                request.job_type
            ),
        ));
    }
    if request.input.values.is_none() || job_type.takes_values {
        return Ok(());
    }
    Err(Problem::bad_request(
        Code::ValuesNotTaken,
        "input.values",
        format!("job type {} takes no values", request.job_type),
    ))
}

/// A request whose parts are in order, as far as can be known without asking anybody.
struct Draft {
    job_type: String,
    parameters: Value,
    callback_url: Option<String>,
    /// The rest of what is said about the input.
    input: InputRequest,
    stakes: Given,
    values: Option<Given>,
}

/// Bytes that came with the request, or an upload.
enum Given {
    Document(String),
    Upload(String),
}

impl Draft {
    fn of(api: &Api, mut request: JobRequest) -> Result<Self, Problem> {
        check_size(&request.parameters)?;
        let parameters = api.registry.check(&request.job_type, &request.parameters)?;
        check_callback(api, request.callback_url.as_deref())?;
        check_values(api, &request)?;
        if let Some(unit) = &request.input.unit
            && !matches!(unit.as_str(), "fraction" | "percent")
        {
            return Err(Problem::bad_request(
                Code::InvalidUnit,
                "input.unit",
                "a unit is fraction or percent",
            ));
        }
        check_lengths(&request.input)?;
        check_format(&request.input)?;
        let stakes = match (request.input.stakes.take(), request.input.upload.take()) {
            (Some(stakes), None) => {
                request.input.format = Some("stakes".to_owned());
                Given::Document(json!({ "stakes": stakes }).to_string())
            }
            (None, Some(upload)) => Given::Upload(upload),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Problem::bad_request(
                    Code::InvalidInput,
                    "input",
                    "give either stakes or upload",
                ));
            }
        };
        let values = request.input.values.as_ref().map(|values| match values {
            ValuesRequest::Upload(values) => Given::Upload(values.upload.clone()),
            ValuesRequest::Inline(values) => Given::Document(json!({ "values": values }).to_string()),
        });
        Ok(Self {
            job_type: request.job_type,
            parameters,
            callback_url: request.callback_url,
            input: request.input,
            stakes,
            values,
        })
    }

    /// Whether all of it goes into the job's record.
    fn is_whole(&self) -> bool {
        let given = [Some(&self.stakes), self.values.as_ref()];
        let mut given = given.into_iter().flatten();
        given.all(|given| matches!(given, Given::Document(text) if text.len() <= Source::LONGEST_TEXT))
    }
}

/// Puts what is too long for the job's record where an upload would be, and looks for uploads.
async fn place(api: &Api, input: InputRequest, stakes: Given, values: Option<Given>) -> Result<Input, Problem> {
    let source = source(api, stakes, "input.upload").await?;
    let values = match values {
        None => None,
        Some(values) => Some(ValuesInput {
            source: self::source(api, values, "input.values.upload").await?,
            name: match input.values {
                Some(ValuesRequest::Upload(values)) => values.name,
                _ => None,
            },
        }),
    };
    Ok(Input {
        source,
        name: input.name,
        format: input.format,
        columns: input.columns,
        unit: input.unit,
        values,
    })
}

async fn source(api: &Api, given: Given, field: &'static str) -> Result<Source, Problem> {
    match given {
        Given::Document(text) if text.len() <= Source::LONGEST_TEXT => Ok(Source::Text(text)),
        Given::Document(text) => {
            let key = input_key(&new_upload());
            api.clients
                .files
                .put(&key, "application/json", text.into_bytes())
                .await?;
            Ok(Source::Object(key))
        }
        Given::Upload(upload) => Ok(Source::Object(find_upload(api, &upload, field).await?)),
    }
}

/// Parameters lie in the job's record, which has to have room for all that happens to the job.
fn check_size(parameters: &Value) -> Result<(), Problem> {
    const LONGEST: usize = 128 << 10;
    if parameters.to_string().len() <= LONGEST {
        return Ok(());
    }
    Err(Problem::bad_request(
        Code::TooLong,
        "parameters",
        format!("longer than {LONGEST} bytes as JSON"),
    ))
}

fn check_format(input: &InputRequest) -> Result<(), Problem> {
    if let Some(name) = &input.format {
        Format::from_name(name).map_err(|unknown| {
            let known = Format::ALL.map(|format| format.name().to_owned());
            Problem::bad_request(Code::UnknownFormat, "input.format", unknown.to_string()).knowing(known.into())
        })?;
    }
    Ok(())
}

/// These travel in the job's record, which must stay small.
fn check_lengths(input: &InputRequest) -> Result<(), Problem> {
    const LONGEST: usize = 512;
    let columns = input.columns.iter().flatten().map(|column| ("input.columns", column));
    let values_name = match &input.values {
        Some(ValuesRequest::Upload(values)) => &values.name,
        _ => &None,
    };
    let named = [
        ("input.name", &input.name),
        ("input.format", &input.format),
        ("input.values.name", values_name),
    ];
    let texts = named
        .into_iter()
        .filter_map(|(field, text)| Some((field, text.as_ref()?)));
    match texts.chain(columns).find(|(_, text)| text.len() > LONGEST) {
        None => Ok(()),
        Some((field, _)) => Err(Problem::bad_request(
            Code::TooLong,
            field,
            format!("longer than {LONGEST} bytes"),
        )),
    }
}

async fn find_upload(api: &Api, upload: &str, field: &'static str) -> Result<String, Problem> {
    // Only what POST /uploads gives out becomes part of a key.
    let Ok(id) = upload.parse::<JobId>() else {
        return Err(Problem::bad_request(
            Code::InvalidUpload,
            field,
            "an upload id is a UUID",
        ));
    };
    let key = input_key(&id.to_string());
    match api.clients.files.size(&key).await {
        Ok(size) if size > api.settings.max_upload_bytes => Err(api.too_large(size).at(field)),
        Ok(_) => Ok(key),
        Err(Error::NoObject(_)) => Err(Problem::bad_request(
            Code::UploadNotFound,
            field,
            "nothing was put under this id yet; PUT the file to the URL that POST /uploads gave",
        )),
        Err(error) => Err(error.into()),
    }
}
