//! The parts of SARIF 2.1.0 that are read. Everything else in a file is skipped unread, in constant memory.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The whole file.
#[derive(Debug, Deserialize)]
pub(super) struct Log {
    pub version: Option<String>,
    pub runs: Option<Vec<Run>>,
}

/// One run of one tool.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub tool: Tool,
    pub results: Option<Vec<Outcome>>,
    pub invocations: Option<Vec<Invocation>>,
    pub original_uri_base_ids: Option<BTreeMap<String, Artifact>>,
    pub artifacts: Option<Vec<Described>>,
    pub column_kind: Option<String>,
    pub external_property_file_references: Option<External>,
}

/// Parts of a run that stand in other files.
#[derive(Debug, Deserialize)]
pub(super) struct External {
    pub results: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tool {
    pub driver: Component,
    pub extensions: Option<Vec<Component>>,
}

/// A tool or a plug-in of one, with its rules.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Component {
    pub name: String,
    pub guid: Option<String>,
    pub rules: Option<Vec<Descriptor>>,
    pub global_message_strings: Option<BTreeMap<String, Text>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub id: String,
    pub name: Option<String>,
    pub short_description: Option<Text>,
    pub full_description: Option<Text>,
    pub help: Option<Text>,
    pub help_uri: Option<String>,
    pub message_strings: Option<BTreeMap<String, Text>>,
    pub default_configuration: Option<Configuration>,
    pub properties: Option<Properties>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Configuration {
    pub level: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Properties {
    #[serde(rename = "security-severity")]
    pub security_severity: Option<Score>,
    pub tags: Option<Vec<String>>,
}

/// A number, as the format of code hosts has it in a string.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Score {
    Number(f64),
    Text(String),
    Other(IgnoredAny),
}

impl Score {
    pub fn value(&self) -> Option<f64> {
        match self {
            Score::Number(number) => Some(*number),
            Score::Text(text) => text.trim().parse().ok(),
            Score::Other(_) => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Text {
    pub text: Option<String>,
    pub markdown: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    pub execution_successful: Option<bool>,
    pub exit_code: Option<i64>,
    pub exit_signal_number: Option<i64>,
    pub exit_signal_name: Option<String>,
    pub process_start_failure_message: Option<String>,
    pub working_directory: Option<Artifact>,
    pub tool_configuration_notifications: Option<Vec<Notification>>,
    pub tool_execution_notifications: Option<Vec<Notification>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Notification {
    pub level: Option<String>,
    pub message: Option<Message>,
}

/// A place in the file system, as a URI that may be relative to a named base.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifact {
    pub uri: Option<String>,
    pub uri_base_id: Option<String>,
    pub index: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Described {
    pub location: Option<Artifact>,
}

/// A result.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub rule_id: Option<String>,
    pub rule_index: Option<i64>,
    pub rule: Option<RuleReference>,
    pub kind: Option<String>,
    pub level: Option<String>,
    pub message: Option<Message>,
    pub locations: Option<Vec<Location>>,
    pub related_locations: Option<Vec<Location>>,
    pub suppressions: Option<Vec<Suppression>>,
    pub baseline_state: Option<String>,
    pub properties: Option<Properties>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleReference {
    pub id: Option<String>,
    pub index: Option<i64>,
    pub tool_component: Option<ComponentReference>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ComponentReference {
    pub index: Option<i64>,
    pub name: Option<String>,
    pub guid: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    pub text: Option<String>,
    pub markdown: Option<String>,
    pub id: Option<String>,
    pub arguments: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub physical_location: Option<Physical>,
    pub logical_locations: Option<Vec<Logical>>,
    pub message: Option<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Physical {
    pub artifact_location: Option<Artifact>,
    pub region: Option<Region>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logical {
    pub fully_qualified_name: Option<String>,
    pub kind: Option<String>,
}

/// A part of a file: by lines and columns from 1, or by an offset in characters from 0.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub start_line: Option<i64>,
    pub start_column: Option<i64>,
    pub end_line: Option<i64>,
    pub end_column: Option<i64>,
    pub char_offset: Option<i64>,
    pub char_length: Option<i64>,
}

impl Region {
    /// Whether it is a part at all: tools that know no line write the beginning of the file, since code hosts want one.
    pub fn is_real(&self) -> bool {
        let is_begin = |value: Option<i64>| matches!(value, None | Some(..=1));
        let lines = [self.start_line, self.start_column, self.end_line, self.end_column];
        !lines.into_iter().all(is_begin) || (self.start_line.is_none() && self.char_offset.is_some())
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Suppression {
    pub kind: Option<String>,
    pub status: Option<String>,
    pub justification: Option<String>,
}
