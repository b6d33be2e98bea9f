//! The place of a call, from which random values are drawn.

use super::*;

thread_local! {
    static PLACES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What `lookup` sees as its place, for each call of it.
fn places(files: &'static [(&'static str, &'static str)]) -> Vec<String> {
    on_deep_stack(|| {
        let core: Rc<RefCell<Option<Templates>>> = Rc::default();
        let asked = Rc::clone(&core);
        let lookup = move |_key: &LookupKey| {
            let templates = asked.try_borrow().map_err(|error| error.to_string())?;
            let place =
                templates.as_ref().map(|templates| templates.core.surroundings.draw.borrow().place.clone());
            PLACES.with_borrow_mut(|places| places.extend(place));
            Ok(Value::Nil)
        };
        let mut templates = Templates::new(surroundings(), Box::new(lookup), Limits::default());
        for (path, source) in files {
            templates.add(path, source).unwrap();
        }
        *core.borrow_mut() = Some(templates);
        let (path, _) = files.last().unwrap();
        core.borrow().as_ref().unwrap().execute(path, &Value::Nil).unwrap();
        PLACES.take()
    })
    .unwrap()
}

#[test]
fn the_place_is_the_chain_of_templates() {
    let files = &[
        (
            "c/templates/_helpers.tpl",
            r#"{{ define "inner" }}{{ lookup "" "" "" "" }}{{ end }}
               {{ define "outer" }}{{ template "inner" }}{{ lookup "" "" "" "" }}{{ end }}"#,
        ),
        (
            "c/templates/secret.yaml",
            r#"{{ lookup "" "" "" "" }}{{ include "outer" . }}{{ tpl "{{ include \"inner\" . }}" . }}{{ lookup "" "" "" "" }}"#,
        ),
    ];
    let file = "c/templates/secret.yaml";
    assert_eq!(
        places(files),
        [
            file.to_owned(),
            format!("{file} > outer > inner"),
            format!("{file} > outer"),
            format!("{file} > tpl > inner"),
            file.to_owned(),
        ]
    );
}

#[test]
fn a_line_more_does_not_change_the_place() {
    let before = places(&[("a", r#"{{ lookup "" "" "" "" }}"#)]);
    let after = places(&[("a", "\n\n# new\n{{ if 1 }}\n{{ lookup \"\" \"\" \"\" \"\" }}{{ end }}")]);
    assert_eq!(before, after);
}
