//! A choice as JSON, for scripts and apps: the same fields as the form has, in the shape in which `GET choice` tells them.

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    decision: String,
    #[serde(default)]
    categories: Value,
    #[serde(default)]
    services: Value,
    return_to: Option<String>,
    /// In which the app has asked.
    language: Option<String>,
}

/// The fields of the form that says the same; `None` for what is no choice.
pub(super) fn to_form(body: &[u8]) -> Option<Vec<u8>> {
    let posted: Posted = serde_json::from_slice(body).ok()?;
    let mut form = Serializer::new(String::new());
    form.append_pair("decision", &posted.decision);
    list(&mut form, "category", None, &posted.categories)?;
    // A service that is refused by name stays off although its category is granted: as if it had been ticked before.
    list(&mut form, "service", Some("shown_service"), &posted.services)?;
    if let Some(return_to) = &posted.return_to {
        form.append_pair("return_to", return_to);
    }
    if let Some(language) = &posted.language {
        form.append_pair("language", language);
    }
    Some(form.finish().into_bytes())
}

/// Names that are granted, as a list, or as keys whose values say whether.
fn list(form: &mut Serializer<'_, String>, field: &str, refused: Option<&str>, value: &Value) -> Option<()> {
    match value {
        Value::Null => {}
        Value::Array(names) => {
            for name in names {
                form.append_pair(field, name.as_str()?);
            }
        }
        Value::Object(answers) => {
            for (name, granted) in answers {
                match (granted.as_bool()?, refused) {
                    (true, _) => form.append_pair(field, name),
                    (false, Some(refused)) => form.append_pair(refused, name),
                    (false, None) => continue,
                };
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_what_a_form_says() {
        for (json, form) in [
            (r#"{"decision":"accept-all"}"#, Some("decision=accept-all")),
            (
                r#"{"decision":"save","categories":["a","b"],"services":["c&d"],"return_to":"/x"}"#,
                Some("decision=save&category=a&category=b&service=c%26d&return_to=%2Fx"),
            ),
            (
                r#"{"decision":"save","categories":{"a":true,"b":false},"services":{"c":false,"d":true}}"#,
                Some("decision=save&category=a&shown_service=c&service=d"),
            ),
            (r#"{"decision":"save","categories":"a"}"#, None),
            (r#"{"decision":"save","categories":[1]}"#, None),
            (r#"{"decision":"save","categories":{"a":"yes"}}"#, None),
            (r#"{"decision":"save","category":["a"]}"#, None),
            ("{}", None),
            ("[]", None),
            ("", None),
            ("\u{feff}{}", None),
        ] {
            let made = to_form(json.as_bytes()).map(|form| String::from_utf8(form).unwrap());
            assert_eq!(made.as_deref(), form, "{json}");
        }
    }
}
