//! The `type` of a variable, as written, into a type.

use std::sync::Arc;

use super::{AttributeType, Type, Val};
use crate::frontend::terraform::syntax::{ExprId, ExprKind, File};

/// Reads a type expression. `constant` gives the value of the default of an optional attribute. Else what is wrong.
pub fn constraint(file: &File, expr: ExprId, constant: &dyn Fn(ExprId) -> Result<Val, String>) -> Result<Type, String> {
    let inner = |expr| constraint(file, expr, constant);
    match file.expr(expr).kind {
        // What terraform 0.11 wrote.
        ExprKind::String(name) => {
            let name = file.text(name);
            let elements = if matches!(name, "list" | "map") { "(string)" } else { "" };
            Err(format!("terraform refuses types in quotes: write {name}{elements} without them"))
        }
        ExprKind::Variable(name) => match file.text(name) {
            "any" => Ok(Type::Dynamic),
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "list" => Ok(Type::list(Type::Dynamic)),
            "map" => Ok(Type::map(Type::Dynamic)),
            "set" => Ok(Type::set(Type::Dynamic)),
            other => Err(format!("there is no type `{other}`")),
        },
        ExprKind::Parenthesis(expr) => inner(expr),
        ExprKind::Call(name, arguments, _) => {
            let arguments = file.exprs(arguments);
            let name = file.text(name);
            let [only] = arguments else { return Err(format!("type `{name}` wants one argument")) };
            match name {
                "list" => inner(*only).map(Type::list),
                "set" => inner(*only).map(Type::set),
                "map" => inner(*only).map(Type::map),
                "tuple" => {
                    let ExprKind::Tuple(items) = file.expr(*only).kind else {
                        return Err("type `tuple` wants a list of types".into());
                    };
                    let items: Result<Vec<Type>, String> = file.exprs(items).iter().map(|item| inner(*item)).collect();
                    Ok(Type::Tuple(Arc::new(items?)))
                }
                "object" => object(file, *only, constant),
                "optional" => Err("`optional` stands only on the attributes of an object".into()),
                other => Err(format!("there is no type `{other}`")),
            }
        }
        _ => Err("this is no type".into()),
    }
}

fn object(file: &File, expr: ExprId, constant: &dyn Fn(ExprId) -> Result<Val, String>) -> Result<Type, String> {
    let ExprKind::Object(items) = file.expr(expr).kind else {
        return Err("type `object` wants `{ name = type }`".into());
    };
    let mut attributes = Vec::new();
    for pair in file.exprs(items).chunks(2) {
        let name = match file.expr(pair[0]).kind {
            ExprKind::Variable(name) | ExprKind::String(name) => file.text(name),
            _ => return Err("the name of an attribute is a plain name".into()),
        };
        let (ty, optional) = match file.expr(pair[1]).kind {
            ExprKind::Call(call, arguments, _) if file.text(call) == "optional" => match *file.exprs(arguments) {
                [ty] => (constraint(file, ty, constant)?, Some(None)),
                [ty, default] => {
                    let ty = constraint(file, ty, constant)?;
                    let default = super::convert::convert(constant(default)?, &ty)
                        .map_err(|error| format!("the default of \"{name}\": {error}"))?;
                    (ty, Some(Some(default)))
                }
                _ => return Err("`optional` wants a type and perhaps a default".into()),
            },
            _ => (constraint(file, pair[1], constant)?, None),
        };
        attributes.push(AttributeType { name: name.into(), ty, optional });
    }
    attributes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Type::Object(Arc::new(attributes)))
}
