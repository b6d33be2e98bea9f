//! Server-side printing: Tables and partial metadata, as `kubectl get` and metadata informers ask for them.

use futures::io::AsyncBufReadExt;
use futures::{StreamExt, TryStreamExt};
use http::{Method, Request};
use kube::Error;
use serde_json::{Value, json};

use crate::ground::Ground;

cases!(
    a_collection_is_a_table,
    pages_of_a_table_follow_each_other,
    what_stands_beside_a_row_can_be_chosen,
    writes_answer_with_tables,
    a_watch_tells_of_tables,
    the_form_is_negotiated,
    metadata_alone_can_be_had,
);

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const MERGE: &str = "application/merge-patch+json";
/// Stands for any age of less than two minutes in what is expected.
pub const AGE: &str = "AGE";
/// Stands for any text.
pub const ANY: &str = "ANY";

impl Ground {
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Value,
    ) -> Result<Value, (u16, String)> {
        let content = if method == Method::PATCH { MERGE } else { "application/json" };
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", accept)
            .header("content-type", content);
        match self.client.request_text(request.body(bytes).expect("a request")).await {
            Ok(text) => Ok(serde_json::from_str(&text).expect("JSON")),
            Err(Error::Api(status)) => Err((status.code, status.message)),
            Err(other) => panic!("{path}: {other}"),
        }
    }

    pub async fn table(&self, path: &str) -> Value {
        self.ask(Method::GET, path, TABLE, Value::Null).await.expect("a table")
    }

    /// Creates an object and gives its columns (those of wide output in brackets) and its cells.
    pub async fn printed(&self, path: &str, object: Value) -> (String, Value) {
        let made = self.ask(Method::POST, path, TABLE, object).await;
        let table = made.unwrap_or_else(|why| panic!("{path}: {why:?}"));
        (columns(&table), table["rows"][0]["cells"].clone())
    }

    pub fn path(&self, version: &str, plural: &str) -> String {
        format!("/{version}/namespaces/{}/{plural}", self.namespace)
    }
}

fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

pub fn columns(table: &Value) -> String {
    let name = |column: &Value| {
        let name = column["name"].as_str().unwrap_or_default().to_owned();
        if column["priority"] == 0 { name } else { format!("[{name}]") }
    };
    let columns = table["columnDefinitions"].as_array().expect("columns");
    columns.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub fn same(cells: &Value, expected: &Value) {
    let (shown, wanted) = (cells.as_array().unwrap(), expected.as_array().unwrap());
    let fits = shown.iter().zip(wanted).all(|(cell, expected)| match expected.as_str() {
        Some(AGE) => {
            cell.as_str().and_then(|age| age.strip_suffix('s')).is_some_and(|n| n.parse::<u8>().is_ok())
        }
        Some(ANY) => cell.is_string(),
        _ => cell == expected,
    });
    assert!(fits && shown.len() == wanted.len(), "{cells} is not {expected}");
}

#[track_caller]
pub fn printed_as(printed: (String, Value), columns: &str, cells: Value) {
    assert_eq!(printed.0, columns);
    same(&printed.1, &cells);
}

async fn a_collection_is_a_table(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("a", json!({"x": "1", "y": "2"}))).await;
    let path = ground.path("api/v1", "configmaps");
    let table = ground.table(&format!("{path}?fieldSelector=metadata.name=a")).await;
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    assert!(table["metadata"]["resourceVersion"].is_string());
    let definition = |at: usize| {
        let mut definition = table["columnDefinitions"][at].clone();
        let description = definition.as_object_mut().unwrap().remove("description");
        assert!(description.unwrap().as_str().is_some_and(|text| !text.is_empty()));
        definition
    };
    assert_eq!(definition(0), json!({"name": "Name", "type": "string", "format": "name", "priority": 0}));
    assert_eq!(definition(1), json!({"name": "Data", "type": "string", "format": "", "priority": 0}));
    assert_eq!(columns(&table), "Name Data Age");
    same(&table["rows"][0]["cells"], &json!(["a", 2, AGE]));
    let beside = &table["rows"][0]["object"];
    assert_eq!(
        (&beside["kind"], &beside["apiVersion"]),
        (&json!("PartialObjectMetadata"), &json!("meta.k8s.io/v1"))
    );
    assert_eq!((&beside["metadata"]["name"], beside.get("data")), (&json!("a"), None));
    let nothing = ground.table(&format!("{path}?labelSelector=no=where")).await;
    assert_eq!((columns(&nothing).as_str(), &nothing["rows"]), ("Name Data Age", &json!([])));
    let missing = ground.ask(Method::GET, &format!("{path}/none"), TABLE, Value::Null).await;
    assert_eq!(missing.unwrap_err().0, 404);
}

async fn pages_of_a_table_follow_each_other(ground: &Ground) {
    for name in ["a", "b", "c"] {
        ground.things("configmaps").create(config_map(name, json!({}))).await;
    }
    let path = ground.path("api/v1", "secrets");
    for name in ["a", "b", "c"] {
        let secret = json!({"metadata": {"name": name, "labels": {"page": "me"}}});
        ground.ask(Method::POST, &path, TABLE, secret).await.unwrap();
    }
    let first = ground.table(&format!("{path}?limit=2&labelSelector=page%3Dme")).await;
    assert_eq!(first["rows"].as_array().map(Vec::len), Some(2));
    let token = first["metadata"]["continue"].as_str().unwrap();
    let rest = ground.table(&format!("{path}?limit=2&labelSelector=page%3Dme&continue={token}")).await;
    assert_eq!((rest["rows"].as_array().map(Vec::len), rest["metadata"].get("continue")), (Some(1), None));
    assert_eq!(rest["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let maps = ground.table(&format!("{}?limit=1", ground.path("api/v1", "configmaps"))).await;
    assert!(maps["metadata"]["remainingItemCount"].as_i64().is_some_and(|count| count >= 2));
}

async fn what_stands_beside_a_row_can_be_chosen(ground: &Ground) {
    ground.things("configmaps").create(config_map("a", json!({"x": "1"}))).await;
    let path = format!("{}/a", ground.path("api/v1", "configmaps"));
    assert_eq!(ground.table(&format!("{path}?includeObject=None")).await["rows"][0]["object"], Value::Null);
    let whole = ground.table(&format!("{path}?includeObject=Object")).await;
    assert_eq!(whole["rows"][0]["object"]["data"], json!({"x": "1"}));
    assert_eq!(whole["rows"][0]["object"]["kind"], "ConfigMap");
    let wrong = ground.ask(Method::GET, &format!("{path}?includeObject=Half"), TABLE, Value::Null).await;
    let text = "Unable to convert to Table as requested: includeObject: Invalid value: \"Half\": must be 'Metadata', \
                'Object', 'None', or empty";
    assert_eq!(wrong.unwrap_err(), (400, text.to_owned()));
}

async fn writes_answer_with_tables(ground: &Ground) {
    let path = ground.path("api/v1", "services");
    let service = json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}});
    let made = ground.ask(Method::POST, &path, TABLE, service).await.unwrap();
    let ports = |table: &Value| table["rows"][0]["cells"][4].clone();
    assert_eq!(ports(&made), "80/TCP");
    let one = format!("{path}/a");
    let patch = json!({"spec": {"ports": [{"port": 81}]}});
    let patched = ground.ask(Method::PATCH, &one, TABLE, patch).await.unwrap();
    assert_eq!(ports(&patched), "81/TCP");
    let mut whole = ground.ask(Method::GET, &one, "application/json", Value::Null).await.unwrap();
    whole["spec"]["ports"][0]["port"] = json!(82);
    assert_eq!(ports(&ground.ask(Method::PUT, &one, TABLE, whole).await.unwrap()), "82/TCP");
    let maps = ground.path("api/v1", "configmaps");
    ground.things("configmaps").create(config_map("a", json!({}))).await;
    let gone = ground.ask(Method::DELETE, &format!("{maps}/a"), TABLE, Value::Null).await.unwrap();
    assert_eq!((&gone["kind"], &gone["status"]), (&json!("Status"), &json!("Success")));
    let none =
        ground.ask(Method::DELETE, &format!("{maps}?labelSelector=no=where"), TABLE, Value::Null).await;
    assert_eq!(none.unwrap()["kind"], "Table");
}

async fn a_watch_tells_of_tables(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("a", json!({"x": "1"}))).await;
    let path = ground.path("api/v1", "configmaps");
    let uri = format!("{path}?watch=true&fieldSelector=metadata.name=a&timeoutSeconds=60");
    let request = Request::builder().uri(uri).header("accept", TABLE).body(Vec::new()).unwrap();
    let body = ground.client.request_stream(request).await.expect("a watch");
    let mut lines = std::pin::pin!(body.lines().map_ok(|line| serde_json::from_str::<Value>(&line).unwrap()));
    let first = ground.within("the first event", lines.next()).await.unwrap().unwrap();
    assert_eq!((&first["type"], &first["object"]["kind"]), (&json!("ADDED"), &json!("Table")));
    assert_eq!(columns(&first["object"]), "Name Data Age");
    same(&first["object"]["rows"][0]["cells"], &json!(["a", 1, AGE]));
    let change = json!({"data": {"y": "2"}});
    ground.ask(Method::PATCH, &format!("{path}/a"), "application/json", change).await.unwrap();
    let second = ground.within("the second event", lines.next()).await.unwrap().unwrap();
    assert_eq!((&second["type"], &second["object"]["columnDefinitions"]), (&json!("MODIFIED"), &Value::Null));
    same(&second["object"]["rows"][0]["cells"], &json!(["a", 2, AGE]));
    let beside = &second["object"]["rows"][0]["object"]["metadata"];
    assert_eq!(second["object"]["metadata"]["resourceVersion"], beside["resourceVersion"]);
    maps.delete("a").await;
    let third = ground.within("the third event", lines.next()).await.unwrap().unwrap();
    assert_eq!((&third["type"], &third["object"]["kind"]), (&json!("DELETED"), &json!("Table")));
}

async fn the_form_is_negotiated(ground: &Ground) {
    let path = format!("/api/v1/namespaces/{}", ground.namespace);
    let old = "application/json;as=Table;v=v1beta1;g=meta.k8s.io";
    let kinds = [
        (format!("{TABLE},{old},application/json"), "Table"),
        (format!("application/json;as=Table;v=v9;g=meta.k8s.io,{TABLE}"), "Table"),
        ("application/json;as=Chair;v=v1;g=meta.k8s.io,application/json".to_owned(), "Namespace"),
        (format!("application/json;q=0.5,{TABLE}"), "Table"),
        ("application/json;q=0.5;as=Table;v=v1;g=meta.k8s.io,application/json;q=0.9".to_owned(), "Namespace"),
        ("text/plain, */*".to_owned(), "Namespace"),
    ];
    for (accept, kind) in kinds {
        let answer = ground.ask(Method::GET, &path, &accept, Value::Null).await.expect(&accept);
        assert_eq!(answer["kind"], kind, "{accept}");
    }
    let answer = ground.ask(Method::GET, &path, old, Value::Null).await.unwrap();
    assert_eq!(answer["apiVersion"], "meta.k8s.io/v1beta1");
    for accept in
        ["application/json;as=Table;v=v2;g=meta.k8s.io", "application/json;as=Table", "application/xml"]
    {
        let refused = ground.ask(Method::GET, &path, accept, Value::Null).await;
        assert_eq!(refused.unwrap_err().0, 406, "{accept}");
    }
}

async fn metadata_alone_can_be_had(ground: &Ground) {
    ground.things("configmaps").create(config_map("a", json!({"x": "1"}))).await;
    let path = ground.path("api/v1", "configmaps");
    let one = ground.ask(Method::GET, &format!("{path}/a"), METADATA, Value::Null).await.unwrap();
    assert_eq!((&one["kind"], &one["metadata"]["name"]), (&json!("PartialObjectMetadata"), &json!("a")));
    assert_eq!(one.get("data"), None);
    let list = ground.ask(Method::GET, &format!("{path}?limit=1"), METADATA_LIST, Value::Null).await.unwrap();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    let wrong = ground.ask(Method::GET, &path, METADATA, Value::Null).await.unwrap_err();
    assert_eq!(wrong.0, 406, "{}", wrong.1);
    let wrong = ground.ask(Method::GET, &format!("{path}/a"), METADATA_LIST, Value::Null).await.unwrap_err();
    assert_eq!(wrong.0, 406, "{}", wrong.1);
}
