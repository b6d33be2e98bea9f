//! The page. Pure.

use serde_json::Value;

/// What is around the notes.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) greeting: &'a str,
    pub(super) version: &'a str,
    pub(super) pod: &'a str,
    /// The accent: green, blue or amber; anything else is green.
    pub(super) color: &'a str,
    /// Whether notes can have tags.
    pub(super) tags: bool,
    /// Whether there is no form.
    pub(super) read_only: bool,
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2433;--soft:#66708a;--line:#d9dee8;--paper:#fbfaf7;--card:#fff}\
@media(prefers-color-scheme:dark){:root{--ink:#e7e9ee;--soft:#98a1b8;--line:#2d3446;--paper:#12151d;--card:#1a1f2b}}\
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.55 ui-serif,Georgia,serif}\
main{max-width:40rem;margin:3rem auto;padding:0 1.25rem}h1{font-size:2.1rem;margin:0}header p{color:var(--soft);margin:.2rem 0 1.6rem}\
form{display:flex;gap:.5rem;flex-wrap:wrap;margin-bottom:1.6rem}input{flex:1 1 12rem;padding:.6rem .8rem;border:1px solid var(--line);\
border-radius:.5rem;background:var(--card);color:inherit;font:inherit}input[name=tags]{flex:0 1 9rem}\
button{padding:.6rem 1.1rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--paper);font:inherit;cursor:pointer}\
ul{list-style:none;padding:0;margin:0}li{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.75rem 1rem;margin:.6rem 0}\
li p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}small,footer{color:var(--soft);font:13px/1.5 ui-sans-serif,system-ui,sans-serif}\
.tag{border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;margin-right:.3rem}.empty,.error{color:var(--soft);font-style:italic}\
.error{border-left:3px solid #c0533e;padding-left:.8rem}footer{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:.8rem}";

impl Page<'_> {
    /// The whole page: the notes, newest first, or why there are none to show.
    pub(super) fn render(&self, notes: Result<&[Value], &str>) -> String {
        let content = match notes {
            Ok([]) => "<p class=empty>No notes yet. Write the first one.</p>".to_owned(),
            Ok(notes) => format!("<ul>{}</ul>", notes.iter().rev().map(item).collect::<String>()),
            Err(why) => format!("<p class=error>The notes cannot be shown: {}.</p>", escape(why)),
        };
        let tags = if self.tags { "<input name=tags placeholder=\"tags, with commas\">" } else { "" };
        let (title, greeting) = (escape(self.title), escape(self.greeting));
        let (version, pod) = (escape(self.version), escape(self.pod));
        let (light, dark) = match self.color {
            "blue" => ("#2b5fa3", "#7fb2f0"),
            "amber" => ("#9a6200", "#e6b450"),
            _ => ("#2f6f5e", "#6cc3a8"),
        };
        let form = if self.read_only {
            "<p class=empty>These notes are read only.</p>".to_owned()
        } else {
            format!(
                "<form method=post action=/notes><input name=text required maxlength=2000 autofocus \
                 placeholder=\"Write a note\">{tags}<button>Add</button></form>"
            )
        };
        format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>{title}</title><style>{STYLE}:root{{--accent:light-dark({light},{dark})}}</style>\
             <main><header><h1>{title}</h1><p>{greeting}</p></header>{form}{content}\
             <footer>notes-web {version} · {pod}</footer></main></html>\n"
        )
    }
}

fn item(note: &Value) -> String {
    let text = escape(note["text"].as_str().unwrap_or_default());
    let tags: String = note["tags"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .map(|tag| format!("<span class=tag>{}</span>", escape(tag)))
        .collect();
    let created = note["created_at"].as_str().map(|at| escape(at.get(..16).unwrap_or(at)).replace('T', " "));
    let below = match (tags.as_str(), created) {
        ("", None) => String::new(),
        (tags, created) => format!("<small>{tags}{}</small>", created.unwrap_or_default()),
    };
    format!("<li><p>{text}</p>{below}</li>")
}

/// Text for HTML, attributes included.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGE: Page<'_> = Page {
        title: "Notes & more",
        greeting: "Hi",
        version: "1.1.0",
        pod: "notes-web-1",
        color: "blue",
        tags: true,
        read_only: false,
    };

    #[test]
    fn the_form_is_there_unless_read_only() {
        assert!(PAGE.render(Ok(&[])).contains("<form") && PAGE.render(Ok(&[])).contains("#2b5fa3"));
        assert!(!Page { read_only: true, ..PAGE }.render(Ok(&[])).contains("<form"));
    }

    #[test]
    fn notes_are_shown_newest_first_and_escaped() {
        let notes =
            [json!({"id": 1, "text": "<b>old</b>"}), json!({"id": 2, "text": "new", "tags": ["a\"b"]})];
        let html = PAGE.render(Ok(&notes));
        assert!(html.find("new").unwrap() < html.find("&lt;b&gt;old").unwrap());
        assert!(html.contains("a&quot;b") && html.contains("Notes &amp; more") && !html.contains("<b>"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(PAGE.render(Err("no <db>")).contains("no &lt;db&gt;"));
        assert!(PAGE.render(Ok(&[])).contains("No notes yet"));
    }
}
