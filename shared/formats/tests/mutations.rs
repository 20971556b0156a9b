//! Whatever the bytes: no reader panics, hangs or takes more memory than it may.
//!
//! The samples of all formats are the seeds. Mutants of them, always the same ones, go through the reader that finds itself
//! responsible and through each other one; `MUTANTS=100000 cargo test -p formats --test mutations` makes more of each.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{self, Read as _, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use formats::{Format, OnBadRecord, ReadError, ReadOptions, read_batches};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory is measured of the whole process, so one test measures at a time.
static ALONE: Mutex<()> = Mutex::new(());

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/inputs");
/// Of each seed, if the environment doesn't say.
const MUTANTS: u64 = 250;
/// What readers may hold, and what they may read.
const LIMIT: u64 = 4 << 20;
/// Blocks and batches, decoders' windows, and what JSON unfolds to.
const MEMORY_LIMIT: usize = 96 << 20;
/// No mutant is larger than some KiB.
const HANGS: Duration = Duration::from_secs(60);

/// What parsers stumble over.
const TOKENS: [&str; 36] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "1e309",
    "1e-400",
    "100.00000001",
    "999999999999999999999999",
    "0x1",
    "NaN",
    "\n",
    "\r",
    "\t",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "<",
    "</",
    "<![CDATA[",
    "]]>",
    "<!--",
    "&#0;",
    "&amp;",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "PAR1",
    "25-50%",
    "é",
];

/// The generator of all choices (Steele, Lea, Flood 2014: splitmix).
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = (length - start).min(1 << (self.below(8)));
        start..start + self.below(longest + 1)
    }
}

/// Changes some bytes, at most four times.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], choices: &mut Choices) {
    for _ in 0..=choices.below(4) {
        let place = choices.range(bytes.len());
        match choices.below(9) {
            0 if !place.is_empty() => bytes[place.start] ^= 1 << choices.below(8),
            1 if !place.is_empty() => bytes[place.start] = [0, 0xff, 0x7f, 0x80, b'"'][choices.below(5)],
            2 => drop(bytes.drain(place)),
            3 => {
                let copy = bytes[place.clone()].to_vec();
                let times = 1 + choices.below(3);
                drop(bytes.splice(place.end..place.end, copy.repeat(times)));
            }
            4 => bytes.truncate(place.end),
            5 => {
                let part = other[choices.range(other.len())].to_vec();
                drop(bytes.splice(place, part));
            }
            6 => {
                // Digits for others.
                let number = bytes[place.start..]
                    .iter()
                    .position(u8::is_ascii_digit)
                    .map(|at| place.start + at);
                if let Some(at) = number {
                    bytes[at] = b'0' + u8::try_from(choices.below(10)).unwrap();
                }
            }
            _ => {
                let token = TOKENS[choices.below(TOKENS.len())];
                drop(bytes.splice(place.start..place.start, token.bytes()));
            }
        }
    }
}

fn packed(bytes: Vec<u8>, choices: &mut Choices) -> Vec<u8> {
    match choices.below(12) {
        0 => zstd::encode_all(&bytes[..], 1).unwrap(),
        1 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            encoder.finish().unwrap()
        }
        _ => bytes,
    }
}

/// Reads without a sink that could fail; the error must be the input's.
fn read(input: &mut dyn io::Read, format: Option<Format>, on_bad_record: OnBadRecord) -> bool {
    let options = ReadOptions {
        format: format.map(|format| format.name().to_owned()),
        on_bad_record,
        max_bytes: LIMIT,
        max_held_bytes: LIMIT,
        ..ReadOptions::default()
    };
    match read_batches(input, &options, &mut |_| Ok::<(), String>(())) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.code().is_some() && !error.to_string().is_empty(), "{error:?}");
            false
        }
    }
}

/// What a piece of work takes at most beside what is taken already.
fn memory_of(work: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    work();
    MEMORY.peak_usage().saturating_sub(before)
}

/// Reads mutants and counts those that were read to their end.
fn try_all(seeds: &[(String, Vec<u8>)], mutants: u64, now: &AtomicU64) -> u64 {
    let mut good = 0;
    for (number, (name, seed)) in seeds.iter().enumerate() {
        for round in 0..mutants {
            now.store(number as u64 * mutants + round, Ordering::Relaxed);
            let mut choices = Choices(number as u64 * 1_000_003 + round);
            let other = &seeds[choices.below(seeds.len())].1;
            let mut bytes = seed.clone();
            mutate(&mut bytes, other, &mut choices);
            let bytes = packed(bytes, &mut choices);
            // Mostly the reader that the content asks for, sometimes any.
            let format = (choices.below(4) == 0).then(|| Format::ALL[choices.below(Format::ALL.len())]);
            let policy = if choices.below(2) == 0 {
                OnBadRecord::Skip
            } else {
                OnBadRecord::Fail
            };
            let memory = memory_of(|| good += u64::from(read(&mut &*bytes, format, policy)));
            assert!(memory <= MEMORY_LIMIT, "{name}, mutant {round}: {memory} bytes");
        }
    }
    good
}

#[test]
fn no_mutant_of_a_sample_makes_a_reader_panic_hang_or_fill_the_memory() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mutants = std::env::var("MUTANTS").map_or(MUTANTS, |text| text.parse().unwrap());
    let mut seeds: Vec<(String, Vec<u8>)> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    assert!(seeds.len() >= Format::ALL.len());
    let now = Arc::new(AtomicU64::new(0));
    let (done, ended) = mpsc::channel();
    let worker = std::thread::spawn({
        let (seeds, now) = (seeds.clone(), Arc::clone(&now));
        move || {
            let good = try_all(&seeds, mutants, &now);
            done.send(good).unwrap();
        }
    });
    let mut before = u64::MAX;
    let good = loop {
        match ended.recv_timeout(HANGS) {
            Ok(good) => break good,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let seed = &seeds[usize::try_from(now.load(Ordering::Relaxed) / mutants).unwrap()].0;
                std::panic::panic_any(format!(
                    "{seed}, mutant {}: {:?}",
                    now.load(Ordering::Relaxed) % mutants,
                    worker.join().err()
                ));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let current = now.load(Ordering::Relaxed);
                let seed = &seeds[usize::try_from(current / mutants).unwrap()].0;
                assert_ne!(current, before, "{seed}, mutant {}: hangs", current % mutants);
                before = current;
            }
        }
    };
    // Mutants that are all refused at once would test little.
    let all = seeds.len() as u64 * mutants;
    assert!(good > all / 10 && good < all, "{good} of {all} were read");
}

/// A text that is repeated without end, or so often.
struct Repeated {
    text: Vec<u8>,
    at: usize,
    left: u64,
}

impl io::Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.at = 0;
            match self.left.checked_sub(1) {
                Some(left) => self.left = left,
                None => return Ok(0),
            }
        }
        let part = &self.text[self.at..];
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        self.at += length;
        Ok(length)
    }
}

/// The lines of a sample as often as makes so many bytes.
fn repeated(sample: &str, bytes: u64) -> Repeated {
    let text = std::fs::read(format!("{FOLDER}/{sample}")).unwrap();
    Repeated {
        at: 0,
        left: bytes / text.len() as u64,
        text,
    }
}

#[test]
fn memory_does_not_grow_with_a_file_of_lines() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let options = ReadOptions::default();
    let [few, many] = [4 << 20, 24 << 20].map(|bytes| {
        memory_of(|| {
            let mut input = repeated("bands.psc.jsonl", bytes);
            let read = read_batches(&mut input, &options, &mut |_| Ok::<(), String>(())).unwrap();
            assert!(read.records * 1000 > bytes, "{}", read.records);
        })
    });
    assert!(many < few + (4 << 20), "{few} bytes of few records, {many} of many");
}

#[test]
fn a_small_file_that_unfolds_without_end_is_refused_in_every_format() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for sample in [
        "network.csv",
        "bands.psc.jsonl",
        "network.bods.jsonl",
        "network.ftm.jsonl",
        "network.gleif.xml",
    ] {
        let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
        io::copy(&mut repeated(sample, 16 << 20), &mut bomb).unwrap();
        let bomb = bomb.finish().unwrap();
        let options = ReadOptions {
            max_bytes: LIMIT,
            on_bad_record: OnBadRecord::Skip,
            ..ReadOptions::default()
        };
        let memory = memory_of(|| {
            let read = read_batches(&mut &*bomb, &options, &mut |_| Ok::<(), String>(()));
            assert!(
                matches!(&read, Err(ReadError::Input(error)) if error.code() == "too_large" || error.code() == "not_readable"),
                "{sample}: {read:?}"
            );
        });
        assert!(memory <= MEMORY_LIMIT, "{sample}: {memory} bytes");
    }
    let mut left = Vec::new();
    repeated("network.csv", 100).read_to_end(&mut left).unwrap();
    assert!(left.len() < 400);
}
