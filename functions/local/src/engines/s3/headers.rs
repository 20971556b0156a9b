//! The headers and user metadata that are kept with an object and given back with it.

use std::collections::BTreeMap;

use s3s::dto::{CopyObjectInput, CreateMultipartUploadInput, Metadata, PutObjectInput};
use serde::{Deserialize, Serialize};

/// What AWS answers for an object that was put without a type.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// Headers of an object. `Expires` is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    /// Values of `x-amz-meta-*` by what follows the prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Headers {
    /// The type to answer with.
    pub(crate) fn content_type(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| DEFAULT_TYPE.to_owned())
    }

    /// The metadata as the protocol's type.
    pub(crate) fn metadata(&self) -> Option<Metadata> {
        let metadata = || self.metadata.clone().into_iter().collect();
        (!self.metadata.is_empty()).then(metadata)
    }
}

/// The three requests have the same fields for these headers but no type in common.
macro_rules! headers_of {
    ($($input:ty),*) => {$(
        impl From<&mut $input> for Headers {
            fn from(input: &mut $input) -> Self {
                Self {
                    content_type: input.content_type.take(),
                    // An encoding of the transfer, which ends here; what is left belongs to the object.
                    content_encoding: input.content_encoding.take().and_then(without_chunking),
                    content_disposition: input.content_disposition.take(),
                    content_language: input.content_language.take(),
                    cache_control: input.cache_control.take(),
                    metadata: input.metadata.take().into_iter().flatten().collect(),
                }
            }
        }
    )*};
}

headers_of!(PutObjectInput, CreateMultipartUploadInput, CopyObjectInput);

fn without_chunking(encoding: String) -> Option<String> {
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_of_the_transfer_is_not_the_objects() {
        let encoding = |text: &str| without_chunking(text.to_owned());
        assert_eq!(encoding("aws-chunked"), None);
        assert_eq!(encoding("gzip,aws-chunked").as_deref(), Some("gzip"));
        assert_eq!(encoding("zstd").as_deref(), Some("zstd"));
    }
}
