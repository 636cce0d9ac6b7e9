//! Strict decoding of request bodies (paracloud.md §3.3, §3.4 and §10): an unknown member anywhere is refused by name.
//!
//! Pure. A leniently read request ignores unknown members and takes null for absent, as a Go server does.

use serde_json::{Map, Value};

/// What a `POST …/containerGroups` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupRequest {
    pub(super) instance_type: String,
    pub(super) containers: Vec<ContainerRequest>,
}

/// One container of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContainerRequest {
    pub(super) name: Option<String>,
    pub(super) image: String,
    pub(super) command: Option<Vec<String>>,
    pub(super) ports: Option<Vec<PortRequest>>,
    pub(super) volume_mounts: Option<Vec<MountRequest>>,
}

/// A named port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortRequest {
    pub(super) name: String,
    pub(super) https: bool,
}

/// A volume, by its id, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MountRequest {
    pub(super) volume: String,
    pub(super) path: String,
}

/// How strictly a body is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoder {
    pub(super) lenient: bool,
}

impl Decoder {
    /// A body without any member.
    pub(super) fn empty(self, body: &[u8]) -> Result<(), String> {
        let body = parse(body)?;
        self.members(&body, "")?.finish()
    }

    /// Whether a volume shall have a transfer service: `{"service": {}}` or `{}`.
    pub(super) fn volume(self, body: &[u8]) -> Result<bool, String> {
        let body = parse(body)?;
        let mut members = self.members(&body, "")?;
        let service = self.switch(&mut members, "service")?;
        members.finish()?;
        Ok(service)
    }

    /// A container group.
    pub(super) fn group(self, body: &[u8]) -> Result<GroupRequest, String> {
        let body = parse(body)?;
        let mut members = self.members(&body, "")?;
        let instance_type = members.required_text("instanceType")?;
        let containers = members
            .list("containers")?
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(|(index, value)| self.container(value, &format!("containers[{index}]")))
            .collect::<Result<Vec<_>, _>>()?;
        members.finish()?;
        if containers.is_empty() {
            return Err("`containers` holds no container".to_owned());
        }
        let request = GroupRequest {
            instance_type,
            containers,
        };
        check_names(&request)?;
        Ok(request)
    }

    fn container(self, value: &Value, path: &str) -> Result<ContainerRequest, String> {
        let mut members = self.members(value, path)?;
        let container = ContainerRequest {
            name: members.text("name")?,
            image: members.required_text("image")?,
            command: members
                .list("command")?
                .map(|words| {
                    words
                        .iter()
                        .map(|word| word.as_str().map(ToOwned::to_owned))
                        .collect::<Option<Vec<_>>>()
                        .ok_or_else(|| format!("`{path}.command` holds something that is no text"))
                })
                .transpose()?,
            ports: self.each(&mut members, "ports", path, Self::port)?,
            volume_mounts: self.each(&mut members, "volumeMounts", path, Self::mount)?,
        };
        members.finish()?;
        Ok(container)
    }

    fn port(self, value: &Value, path: &str) -> Result<PortRequest, String> {
        let mut members = self.members(value, path)?;
        let port = PortRequest {
            name: members.required_text("name")?,
            https: self.switch(&mut members, "https")?,
        };
        members.finish()?;
        Ok(port)
    }

    fn mount(self, value: &Value, path: &str) -> Result<MountRequest, String> {
        let mut members = self.members(value, path)?;
        let mount = MountRequest {
            volume: members.required_text("name")?,
            path: members.required_text("mountPath")?,
        };
        members.finish()?;
        if !mount.path.starts_with('/') {
            return Err(format!(
                "`{path}.mountPath` is `{}`, which is not absolute",
                mount.path
            ));
        }
        Ok(mount)
    }

    fn each<T>(
        self,
        members: &mut Members<'_>,
        name: &'static str,
        path: &str,
        read: fn(Self, &Value, &str) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, String> {
        let Some(list) = members.list(name)? else {
            return Ok(None);
        };
        list.iter()
            .enumerate()
            .map(|(index, value)| read(self, value, &format!("{path}.{name}[{index}]")))
            .collect::<Result<Vec<_>, _>>()
            .map(Some)
    }

    /// An empty object is the switch of `service` and `https`.
    fn switch(self, members: &mut Members<'_>, name: &'static str) -> Result<bool, String> {
        let path = members.path_of(name);
        let Some(value) = members.take(name)? else {
            return Ok(false);
        };
        self.members(value, &path)?.finish()?;
        Ok(true)
    }

    fn members<'a>(self, value: &'a Value, path: &str) -> Result<Members<'a>, String> {
        let map = value.as_object().ok_or_else(|| {
            if path.is_empty() {
                "the body is not a JSON object".to_owned()
            } else {
                format!("`{path}` is not an object")
            }
        })?;
        Ok(Members {
            map,
            path: path.to_owned(),
            known: Vec::new(),
            lenient: self.lenient,
        })
    }
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
}

/// The members of one object, and which of them were asked for.
#[derive(Debug)]
struct Members<'a> {
    map: &'a Map<String, Value>,
    path: String,
    known: Vec<&'static str>,
    lenient: bool,
}

impl<'a> Members<'a> {
    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn take(&mut self, name: &'static str) -> Result<Option<&'a Value>, String> {
        self.known.push(name);
        match self.map.get(name) {
            Some(Value::Null) if !self.lenient => {
                Err(format!("`{}` is null; leave it out", self.path_of(name)))
            }
            None | Some(Value::Null) => Ok(None),
            Some(value) => Ok(Some(value)),
        }
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, String> {
        let Some(value) = self.take(name)? else {
            return Ok(None);
        };
        match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(format!("`{}` is not a text", self.path_of(name))),
        }
    }

    fn required_text(&mut self, name: &'static str) -> Result<String, String> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| format!("`{}` is missing", self.path_of(name)))
    }

    fn list(&mut self, name: &'static str) -> Result<Option<&'a [Value]>, String> {
        let Some(value) = self.take(name)? else {
            return Ok(None);
        };
        match value.as_array() {
            Some(list) => Ok(Some(list)),
            None => Err(format!("`{}` is not an array", self.path_of(name))),
        }
    }

    /// Names the first member that nobody asked for.
    fn finish(self) -> Result<(), String> {
        match self
            .map
            .keys()
            .find(|name| !self.known.contains(&name.as_str()))
        {
            Some(unknown) if !self.lenient => {
                Err(format!("unknown field `{}`", self.path_of(unknown)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Names are of `[a-z0-9-]+` and used once: containers in the group, ports in their container.
fn check_names(request: &GroupRequest) -> Result<(), String> {
    let names = request
        .containers
        .iter()
        .filter_map(|container| container.name.as_deref());
    check_each("container", names)?;
    for container in &request.containers {
        let names = container.ports.iter().flatten();
        check_each("port", names.map(|port| port.name.as_str()))?;
    }
    Ok(())
}

fn check_each<'a>(kind: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(format!("{kind} name `{name}` does not match [a-z0-9-]+"));
        }
        if seen.contains(&name) {
            return Err(format!("{kind} name `{name}` is used twice"));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const STRICT: Decoder = Decoder { lenient: false };
    const LENIENT: Decoder = Decoder { lenient: true };

    fn group(container: &str) -> String {
        format!(r#"{{"instanceType":"n30.xlarge","containers":[{container}]}}"#)
    }

    #[test]
    fn the_contracts_own_example_is_read_whole() {
        let body = group(
            r#"{"name":"bert-q4w7z","image":"pytorch/pytorch:2.1.0","command":["env","EPOCHS=3"],
                "ports":[{"name":"ui","https":{}},{"name":"raw"}],
                "volumeMounts":[{"name":"x7m4tzb9","mountPath":"/data"}]}"#,
        );
        let request = STRICT.group(body.as_bytes()).unwrap();
        let container = &request.containers[0];
        assert_eq!(request.instance_type, "n30.xlarge");
        assert_eq!(container.command.as_deref().unwrap(), ["env", "EPOCHS=3"]);
        let ports: Vec<bool> = container
            .ports
            .iter()
            .flatten()
            .map(|port| port.https)
            .collect();
        assert_eq!(ports, [true, false]);
        assert_eq!(container.volume_mounts.as_ref().unwrap()[0].path, "/data");
    }

    #[rstest]
    #[case(r#"{"image":"a","env":[{"name":"A"}]}"#, "containers[0].env")]
    #[case(
        r#"{"image":"a","ports":[{"name":"ui","https":{"host":"x"}}]}"#,
        "containers[0].ports[0].https.host"
    )]
    #[case(
        r#"{"image":"a","ports":[{"name":"ui","port":8080}]}"#,
        "containers[0].ports[0].port"
    )]
    #[case(
        r#"{"image":"a","volumeMounts":[{"name":"v","mountPath":"/d","readOnly":true}]}"#,
        "containers[0].volumeMounts[0].readOnly"
    )]
    #[case(r#"{"image":"a","args":["b"]}"#, "containers[0].args")]
    fn an_unknown_member_is_named_or_ignored(#[case] container: &str, #[case] path: &str) {
        let body = group(container);
        let error = STRICT.group(body.as_bytes()).unwrap_err();
        assert_eq!(error, format!("unknown field `{path}`"));
        assert!(LENIENT.group(body.as_bytes()).is_ok());
    }

    #[rstest]
    #[case(r#"{"name":"x"}"#, "image")]
    #[case(r#"{"image":""}"#, "image")]
    #[case(r#"{"image":"a","name":"My_Job"}"#, "My_Job")]
    #[case(r#"{"image":"a","name":""}"#, "[a-z0-9-]+")]
    #[case(r#"{"image":"a","command":"sh"}"#, "command")]
    #[case(r#"{"image":"a","command":["sh",1]}"#, "command")]
    #[case(r#"{"image":"a","ports":[{"name":"u i"}]}"#, "u i")]
    #[case(r#"{"image":"a","ports":[{"name":"ui"},{"name":"ui"}]}"#, "used twice")]
    #[case(r#"{"image":"a","name":"x"},{"image":"b","name":"x"}"#, "used twice")]
    #[case(
        r#"{"image":"a","volumeMounts":[{"name":"v","mountPath":"data"}]}"#,
        "absolute"
    )]
    #[case("", "no container")]
    #[case("7", "containers[0]")]
    fn what_is_wrong_is_named_also_by_a_lenient_server(
        #[case] container: &str,
        #[case] named: &str,
    ) {
        for decoder in [STRICT, LENIENT] {
            let error = decoder.group(group(container).as_bytes()).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_transfer_service_is_asked_for_by_an_empty_object() {
        assert_eq!(STRICT.volume(br#"{"service":{}}"#), Ok(true));
        assert_eq!(STRICT.volume(b"{}"), Ok(false));
        assert!(STRICT.volume(br#"{"service":null}"#).is_err());
        assert_eq!(LENIENT.volume(br#"{"service":null}"#), Ok(false));
        assert!(STRICT.volume(br#"{"service":true}"#).is_err());
        assert!(STRICT.volume(br#"{"name":"x"}"#).is_err());
    }

    #[test]
    fn an_empty_object_is_not_an_empty_body() {
        assert_eq!(STRICT.empty(b"{}"), Ok(()));
        assert!(STRICT.empty(b"").is_err());
        assert!(STRICT.empty(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for decoder in [STRICT, LENIENT] {
                let _outcome = decoder.group(&bytes).is_ok() || decoder.volume(&bytes).is_ok();
            }
        }
    }
}
