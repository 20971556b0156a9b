//! Digests of what is uploaded: the MD5 that becomes the ETag of an object put at once, and those that the client asks to
//! be checked. The ETag of a part is no digest, as it is none on AWS under a key of KMS: MD5 would take longer than all
//! else that is done with the parts of a large result.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::{Checksum, ChecksumAlgorithm, PutObjectInput, UploadPartInput};
use s3s::{S3ErrorCode, TrailingHeaders};

use super::error::{Error, refuse};

/// What a client says about the bytes that it sends.
pub(crate) struct Claims {
    md5: Option<String>,
    checksum: Checksum,
    algorithm: Option<ChecksumAlgorithm>,
    /// Headers that follow the body, as the request announces them.
    announced: String,
    trailers: Option<TrailingHeaders>,
    etag: ETagOf,
}

/// What an ETag says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ETagOf {
    /// The MD5 of the bytes.
    Bytes,
    /// Which upload of a part it was.
    Upload,
}

/// Digests under way.
pub(crate) struct Digests {
    md5: Option<Md5>,
    checksums: ChecksumHasher,
}

/// The two requests have the same fields for digests but no type in common.
macro_rules! claims_of {
    ($($input:ty: $etag:expr),*) => {$(
        impl From<&mut $input> for Claims {
            fn from(input: &mut $input) -> Self {
                Self {
                    md5: input.content_md5.take(),
                    checksum: Checksum {
                        checksum_crc32: input.checksum_crc32.take(),
                        checksum_crc32c: input.checksum_crc32c.take(),
                        checksum_crc64nvme: input.checksum_crc64nvme.take(),
                        checksum_sha1: input.checksum_sha1.take(),
                        checksum_sha256: input.checksum_sha256.take(),
                        ..Checksum::default()
                    },
                    algorithm: input.checksum_algorithm.take(),
                    announced: String::new(),
                    trailers: None,
                    etag: $etag,
                }
            }
        }
    )*};
}

claims_of!(PutObjectInput: ETagOf::Bytes, UploadPartInput: ETagOf::Upload);

impl Claims {
    /// Adds what follows the body.
    pub(crate) fn with_trailers(mut self, headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> Self {
        let announced = headers.get("x-amz-trailer").and_then(|names| names.to_str().ok());
        announced.unwrap_or_default().clone_into(&mut self.announced);
        self.trailers = trailers;
        self
    }

    /// The digests that are needed to check the claims.
    pub(crate) fn start(&self) -> Digests {
        let asked = self.algorithm.as_ref().map(ChecksumAlgorithm::as_str);
        let given = &self.checksum;
        let wanted = |name: &str, header: &str, value: &Option<String>| {
            asked == Some(name) || value.is_some() || self.announced.contains(header)
        };
        let mut checksums = ChecksumHasher::default();
        if wanted(ChecksumAlgorithm::CRC32, "-crc32", &given.checksum_crc32) {
            checksums.crc32 = Some(Default::default());
        }
        if wanted(ChecksumAlgorithm::CRC32C, "-crc32c", &given.checksum_crc32c) {
            checksums.crc32c = Some(Default::default());
        }
        if wanted(ChecksumAlgorithm::CRC64NVME, "-crc64nvme", &given.checksum_crc64nvme) {
            checksums.crc64nvme = Some(Default::default());
        }
        if wanted(ChecksumAlgorithm::SHA1, "-sha1", &given.checksum_sha1) {
            checksums.sha1 = Some(Default::default());
        }
        if wanted(ChecksumAlgorithm::SHA256, "-sha256", &given.checksum_sha256) {
            checksums.sha256 = Some(Default::default());
        }
        Digests {
            md5: (self.etag == ETagOf::Bytes || self.md5.is_some()).then(Md5::new),
            checksums,
        }
    }

    /// Compares the claims with the digests of the whole body. Returns the ETag, where it is one of them, and the
    /// checksums.
    ///
    /// # Errors
    ///
    /// `BadDigest`.
    pub(crate) fn check(self, digests: Digests) -> Result<(Option<String>, Checksum), Error> {
        let md5 = digests.md5.map(Md5::finalize);
        if self.md5.is_some() && self.md5 != md5.as_ref().map(|md5| STANDARD.encode(md5)) {
            return refuse(S3ErrorCode::BadDigest);
        }
        let trailers = self.trailers.and_then(|trailers| trailers.take()).unwrap_or_default();
        let found = digests.checksums.finalize();
        let given = self.checksum;
        for (header, given, found) in [
            ("x-amz-checksum-crc32", given.checksum_crc32, &found.checksum_crc32),
            ("x-amz-checksum-crc32c", given.checksum_crc32c, &found.checksum_crc32c),
            (
                "x-amz-checksum-crc64nvme",
                given.checksum_crc64nvme,
                &found.checksum_crc64nvme,
            ),
            ("x-amz-checksum-sha1", given.checksum_sha1, &found.checksum_sha1),
            ("x-amz-checksum-sha256", given.checksum_sha256, &found.checksum_sha256),
        ] {
            let trailer = trailers.get(header).and_then(|value| value.to_str().ok());
            let claimed = given.as_deref().or(trailer);
            if claimed.is_some() && claimed != found.as_deref() {
                return refuse(S3ErrorCode::BadDigest);
            }
        }
        let etag = md5.filter(|_| self.etag == ETagOf::Bytes);
        Ok((etag.map(hex::encode), found))
    }
}

impl Digests {
    /// Takes the next bytes of the body in.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.checksums.update(bytes);
    }
}
