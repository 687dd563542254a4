//! Files as `multipart/form-data` (RFC 7578).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::cache::hex;

/// A body and its type.
pub(super) struct Form {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// The form of `{field: {file_name, content_type, data}}`, with `data` in base64.
///
/// # Errors
/// One sentence that names the field.
pub(super) fn form(files: &Map<String, Value>) -> Result<Form, String> {
    let mut parts = Vec::new();
    let mut all = Sha256::new();
    for (field, file) in files {
        let text = |key: &str| {
            let found = file.get(key).and_then(Value::as_str);
            found.ok_or_else(|| format!("the file `{field}` has no text `{key}`"))
        };
        let kind = text("content_type")?;
        if kind.chars().any(char::is_control) {
            return Err(format!("the content_type of the file `{field}` has a control character in it"));
        }
        let data =
            STANDARD.decode(text("data")?).map_err(|error| format!("the file `{field}` is no base64: {error}"))?;
        let name = text("file_name")?;
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {kind}\r\n\r\n",
            quoted(field),
            quoted(name)
        );
        all.update(&head);
        all.update(&data);
        parts.push((head, data));
    }
    // Made of what stands between, so that a run that is repeated sends the same bytes.
    let boundary = hex(&all.finalize()).chars().take(40).collect::<String>();
    let mut body = Vec::new();
    for (head, data) in parts {
        body.extend_from_slice(format!("--{boundary}\r\n{head}").as_bytes());
        body.extend_from_slice(&data);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Form { content_type: format!("multipart/form-data; boundary={boundary}"), body })
}

/// A name within quotes, as browsers write it.
fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form() {
        let files = json!({"f\"\r\n": {"file_name": "a.json", "content_type": "application/json", "data": "e30="}});
        let form = form(files.as_object().unwrap()).map_err(|error| panic!("{error}")).unwrap();
        let boundary = form.content_type.strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
        let body = String::from_utf8(form.body).unwrap();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"f%22%0D%0A\"; filename=\"a.json\"\r\n\
             Content-Type: application/json\r\n\r\n{{}}\r\n--{boundary}--\r\n"
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn what_is_no_file_is_named() {
        for (file, part) in [
            (json!({}), "`content_type`"),
            (json!({"file_name": "a", "content_type": "b", "data": "*"}), "base64"),
            (json!({"file_name": "a", "content_type": "b\r\nX: y", "data": ""}), "control character"),
        ] {
            let files = json!({ "f": file });
            let error = form(files.as_object().unwrap()).err().unwrap();
            assert!(error.contains("`f`") && error.contains(part), "{error}");
        }
    }
}
