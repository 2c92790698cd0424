//! Templates: text with values in it, and its directives.

use super::{Evaluated, Evaluator, Failure, Scope, fail, limit};
use crate::frontend::terraform::functions::{MAX_TEXT, normal};
use crate::frontend::terraform::syntax::{List, Part};
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::{Kind, Marks, Type, Val};
use crate::source::Span;

impl Evaluator<'_> {
    pub(super) fn template(&self, scope: Scope<'_>, parts: List, span: Span) -> Evaluated {
        // A template of a single interpolation is that value itself.
        if let [Part::Expr(only)] = scope.file.parts(parts) {
            return self.eval(scope, *only).map(|value| value.used_at(span));
        }
        self.text_of(scope, parts, span)
    }

    /// The text of a template's parts.
    pub(super) fn text_of(&self, scope: Scope<'_>, parts: List, span: Span) -> Evaluated {
        let mut writer = Writer::default();
        let written = self.write_parts(scope, parts, &mut writer);
        written.map_err(|failure| failure.of_type(Type::String))?;
        Ok(writer.finish(span))
    }

    fn write_parts(&self, scope: Scope<'_>, parts: List, writer: &mut Writer) -> Result<(), Box<Failure>> {
        for part in scope.file.parts(parts) {
            match *part {
                Part::Text(literal) => writer.text.push_str(scope.file.text(literal)),
                Part::Expr(expr) => {
                    let span = scope.file.expr_span(expr);
                    let val = self.eval(scope, expr)?;
                    if val.is_null() {
                        return Err(fail(span, "a null value can't be part of a text"));
                    }
                    // What is not known may turn out to fit, whatever its type says.
                    writer.marks = writer.marks.with(val.marks);
                    let val = match val.is_unknown() {
                        true => val,
                        false => convert(val, &Type::String)
                            .map_err(|_| fail(span, "only strings, numbers and booleans fit into a text"))?,
                    };
                    self.charge_text(val.text_len(), span)?;
                    writer.push(val);
                    writer.bounded(span)?;
                }
                Part::If(condition, yes, no) => {
                    let condition = self.condition(scope, condition, "the condition")?;
                    writer.marks = writer.marks.with(condition.marks);
                    let (chosen, other) = match condition.as_bool() {
                        Some(true) => (yes, no),
                        Some(false) => (no, yes),
                        None => {
                            writer.push(condition);
                            continue;
                        }
                    };
                    self.write_parts(scope, chosen, writer)?;
                    // As of any conditional, both arms give their marks.
                    if scope.file.parts(other).iter().any(|part| !matches!(part, Part::Text(_))) {
                        let mut unwritten = Writer::default();
                        match self.write_parts(scope, other, &mut unwritten) {
                            Err(failure) if failure.is_limit => return Err(failure),
                            _ => writer.marks = writer.marks.with(unwritten.marks),
                        }
                    }
                }
                Part::For(index) => {
                    let parsed = *scope.file.template_for(index);
                    let collection = self.iterable(scope, parsed.collection)?;
                    writer.marks = writer.marks.with(collection.marks);
                    if collection.is_unknown() {
                        writer.push(collection);
                        continue;
                    }
                    for (key, value) in collection.pairs() {
                        let key_name = parsed.key_name.map_or("", |name| scope.file.text(name));
                        let key = scope.binding(key_name, key);
                        let inner = scope.bind(&key);
                        let value = inner.binding(scope.file.text(parsed.value_name), value);
                        self.write_parts(inner.bind(&value), parsed.body, writer)?;
                        // A body of text alone grows too.
                        writer.bounded(scope.file.expr_span(parsed.collection))?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A text in the making.
#[derive(Default)]
struct Writer {
    /// With `${reference}` in place of what is not known.
    text: String,
    /// What is known of the start, once something is not.
    prefix: Option<String>,
    parts: Vec<Val>,
    marks: Marks,
}

impl Writer {
    fn push(&mut self, val: Val) {
        self.marks = self.marks.with(val.deep_marks());
        let Kind::Unknown(unknown) = &val.kind else {
            self.text.push_str(&val.to_text().unwrap_or_default());
            return;
        };
        if self.prefix.is_none() {
            self.prefix = Some(format!("{}{}", self.text, unknown.prefix.as_deref().unwrap_or("")));
        }
        match &unknown.template {
            Some(template) => self.text.push_str(template),
            None => {
                self.text.push_str("${");
                self.text.push_str(unknown.references.first().map_or("unknown", |reference| reference));
                self.text.push('}');
            }
        }
        self.parts.push(val);
    }

    /// A failure at `span`, which is what was written last, once the text is too long.
    fn bounded(&self, span: Span) -> Result<(), Box<Failure>> {
        match self.text.len() > MAX_TEXT {
            true => Err(limit(span, format!("a template grows past {} MiB of text", MAX_TEXT >> 20))),
            false => Ok(()),
        }
    }

    fn finish(self, span: Span) -> Val {
        let Some(prefix) = self.prefix else { return Val::string(normal(self.text), span).marked(self.marks) };
        let parts: Vec<&Val> = self.parts.iter().collect();
        let open = Val::depends(Type::String, &parts, span);
        let Kind::Unknown(unknown) = &open.kind else { return open };
        let mut unknown = (**unknown).clone();
        unknown.not_null = true;
        unknown.prefix = (!prefix.is_empty()).then(|| prefix.into());
        unknown.template = Some(self.text.into());
        open.with_kind(Kind::Unknown(unknown.into())).marked(self.marks)
    }
}
