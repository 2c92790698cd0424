//! Operators: their operands are converted as terraform converts them, and unknown ones make the result unknown.

use super::{Evaluated, Evaluator, Failure, Scope, fail};
use crate::frontend::terraform::syntax::{ExprId, Operator};
use crate::frontend::terraform::value::arms::spread;
use crate::frontend::terraform::value::convert::convert;
use crate::frontend::terraform::value::{Kind, Type, Val, equal};
use crate::source::Span;

impl Evaluator<'_> {
    pub(super) fn binary(
        &self,
        scope: Scope<'_>,
        operator: Operator,
        left: ExprId,
        right: ExprId,
        span: Span,
    ) -> Evaluated {
        let ty = match operator {
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
                Type::Number
            }
            _ => Type::Bool,
        };
        let result = self.combined(scope, operator, left, right, span);
        result.map_err(|failure| failure.of_type(ty))
    }

    fn combined(&self, scope: Scope<'_>, operator: Operator, left: ExprId, right: ExprId, span: Span) -> Evaluated {
        let (a, b) = (self.eval(scope, left)?, self.eval(scope, right)?);
        let marks = match operator {
            Operator::Equal | Operator::NotEqual => a.deep_marks().with(b.deep_marks()),
            _ => a.marks.with(b.marks),
        };
        if matches!(operator, Operator::Equal | Operator::NotEqual) {
            self.charge_equality(&a, &b, span)?;
        }
        applied(operator, &[a, b], span).map(|val| val.marked(marks))
    }

    pub(super) fn negate(&self, scope: Scope<'_>, inner: ExprId, span: Span) -> Evaluated {
        let inner = self.eval(scope, inner).and_then(|inner| operand(&inner, &Type::Number, "-", span));
        let inner = inner.map_err(|failure| failure.of_type(Type::Number))?;
        Ok(match inner.as_number() {
            Some(number) => Val::new(Kind::Number(number.negate()), span),
            None => not_null(Val::depends(Type::Number, &[&inner], span)),
        }
        .marked(inner.marks))
    }

    pub(super) fn not(&self, scope: Scope<'_>, inner: ExprId, span: Span) -> Evaluated {
        let inner = self.eval(scope, inner).and_then(|inner| operand(&inner, &Type::Bool, "!", span));
        let inner = inner.map_err(|failure| failure.of_type(Type::Bool))?;
        Ok(inverse(&inner, span).marked(inner.marks))
    }
}

fn inverse(val: &Val, span: Span) -> Val {
    match val.as_bool() {
        Some(bool) => Val::bool(!bool, span),
        None => {
            let open = not_null(Val::depends(Type::Bool, &[val], span));
            spread(open, std::slice::from_ref(val), &mut |val| Ok::<_, ()>(inverse(&val[0], span)))
        }
    }
}

/// An operator with its operands; with arms where they have some.
fn applied(operator: Operator, operands: &[Val], span: Span) -> Evaluated {
    let [a, b] = operands else { unreachable!("an operator between two") };
    let result = match operator {
        Operator::And | Operator::Or => logical(operator, a, b, span),
        Operator::Equal | Operator::NotEqual => Ok(match equal(a, b) {
            Some(same) => Val::bool(same == (operator == Operator::Equal), span),
            None => not_null(Val::depends(Type::Bool, &[a, b], span)),
        }),
        _ => arithmetic(operator, a, b, span),
    };
    result.map(|val| spread(val, operands, &mut |operands| applied(operator, operands, span)))
}

/// Says of an unknown that it will not be null. Of one without a type terraform knows nothing at all.
pub fn not_null(val: Val) -> Val {
    match &val.kind {
        Kind::Unknown(unknown) if !unknown.not_null && unknown.ty != Type::Dynamic => {
            let mut unknown = (**unknown).clone();
            unknown.not_null = true;
            val.with_kind(Kind::Unknown(unknown.into()))
        }
        _ => val,
    }
}

fn operand(val: &Val, ty: &Type, operator: &str, span: Span) -> Result<Val, Box<Failure>> {
    let converted =
        convert(val.clone(), ty).map_err(|error| fail(span, format!("`{operator}` wants {}: {error}", ty.noun())))?;
    if converted.is_null() {
        return Err(fail(span, format!("`{operator}` wants {}, not null", ty.noun())));
    }
    Ok(converted)
}

/// Terraform 1.11 does not short-circuit: an unknown side makes the result unknown, whatever the other says.
fn logical(operator: Operator, a: &Val, b: &Val, span: Span) -> Evaluated {
    let symbol = if operator == Operator::And { "&&" } else { "||" };
    let (a, b) = (operand(a, &Type::Bool, symbol, span)?, operand(b, &Type::Bool, symbol, span)?);
    Ok(match (a.as_bool(), b.as_bool()) {
        (Some(x), Some(y)) if operator == Operator::And => Val::bool(x && y, span),
        (Some(x), Some(y)) => Val::bool(x || y, span),
        _ => not_null(Val::depends(Type::Bool, &[&a, &b], span)),
    })
}

fn arithmetic(operator: Operator, a: &Val, b: &Val, span: Span) -> Evaluated {
    let symbol = match operator {
        Operator::Less => "<",
        Operator::LessEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterEqual => ">=",
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        _ => "%",
    };
    let compares =
        matches!(operator, Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual);
    let (a, b) = (operand(a, &Type::Number, symbol, span)?, operand(b, &Type::Number, symbol, span)?);
    let (Some(x), Some(y)) = (a.as_number(), b.as_number()) else {
        let ty = if compares { Type::Bool } else { Type::Number };
        return Ok(not_null(Val::depends(ty, &[&a, &b], span)));
    };
    let result = match operator {
        Operator::Less => return Ok(Val::bool(x < y, span)),
        Operator::LessEqual => return Ok(Val::bool(x <= y, span)),
        Operator::Greater => return Ok(Val::bool(x > y, span)),
        Operator::GreaterEqual => return Ok(Val::bool(x >= y, span)),
        Operator::Add => x.add(y),
        Operator::Subtract => x.subtract(y),
        Operator::Multiply => x.multiply(y),
        Operator::Divide => x.divide(y),
        _ => x.remainder(y),
    };
    result.map(|number| Val::new(Kind::Number(number), span)).map_err(|refused| fail(span, refused.to_string()))
}
