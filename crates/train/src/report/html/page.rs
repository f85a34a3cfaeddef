//! The page around a report's content: its style, its script and what the script reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::report::charts::theme;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = concat!(
    include_str!("script/shapes.js"),
    include_str!("script/chart.js"),
    include_str!("script/tip.js"),
    include_str!("script/page.js"),
);

/// Returns a page that needs nothing else. `points` is what its script reads, see [`points`](super::points).
///
/// The page's policy lets this one script run and nothing be loaded, whatever a name or a text in the records says.
pub(super) fn page(title: &str, content: &Markup, points: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style())) }
            }
            body {
                main { (content) }
                script type="application/json" #points { (PreEscaped(points)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// Returns the page's policy: nothing from elsewhere, its own style, and the script of this very hash.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    )
}

fn style() -> String {
    let (light, dark) = (theme::variables(false), theme::variables(true));
    let rules = theme::dark_rules(".chart");
    format!(
        "{STYLE}:root{{{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}{rules}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_script_that_the_page_has() {
        let page = page("a title", &html! { p { "text" } }, "{}");
        let script = page.split("<script>").nth(1).unwrap();
        let script = script.split("</script>").next().unwrap();
        let hash = STANDARD.encode(Sha256::digest(script));
        assert!(page.contains(&format!("'sha256-{hash}'")));
        assert_eq!(page.matches("<script").count(), 2);
        // It comes before all that it restricts.
        assert!(page.find("Content-Security-Policy") < page.find("<style"));
    }
}
