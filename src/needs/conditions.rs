//! Conditions whose value is known before the program runs: the version, the platform, type checking.

use ruff_python_ast::{BoolOp, CmpOp, Expr, Number, UnaryOp};
use std::cmp::Ordering;

/// Returns what a condition comes to on Linux with the default Python, where that can be said.
pub(super) fn truth(test: &Expr, is_entry: bool) -> Option<bool> {
    match test {
        Expr::BooleanLiteral(literal) => Some(literal.value),
        Expr::NumberLiteral(_) => number(test).map(|value| value != 0),
        Expr::Name(name) => (name.id == "TYPE_CHECKING").then_some(false),
        Expr::Attribute(attribute) => (attribute.attr.as_str() == "TYPE_CHECKING").then_some(false),
        Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => truth(&unary.operand, is_entry).map(|value| !value),
        Expr::BoolOp(several) => {
            // `and` is decided by one that is false, `or` by one that is true.
            let decides = several.op == BoolOp::Or;
            let values = || several.values.iter().map(|value| truth(value, is_entry));
            if values().any(|value| value == Some(decides)) {
                Some(decides)
            } else {
                values().all(|value| value == Some(!decides)).then_some(!decides)
            }
        }
        Expr::Call(call) => {
            let Expr::Attribute(method) = &*call.func else { return None };
            let text = fact(&method.value, is_entry)?;
            let prefix = call.arguments.args.first()?.as_string_literal_expr()?;
            (method.attr.as_str() == "startswith").then(|| text.starts_with(prefix.value.to_str()))
        }
        Expr::Compare(compare) => {
            let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
            if let Some(text) = fact(&compare.left, is_entry) {
                return compare_text(text, *op, right);
            }
            let ordering = version(&compare.left, right)?;
            match op {
                CmpOp::Lt => Some(ordering.is_lt()),
                CmpOp::LtE => Some(ordering.is_le()),
                CmpOp::Gt => Some(ordering.is_gt()),
                CmpOp::GtE => Some(ordering.is_ge()),
                CmpOp::Eq => Some(ordering.is_eq()),
                CmpOp::NotEq => Some(ordering.is_ne()),
                CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => None,
            }
        }
        _ => None,
    }
}

/// Returns the value of an expression that says where the program runs.
fn fact(expression: &Expr, is_entry: bool) -> Option<&'static str> {
    match expression {
        Expr::Name(name) if name.id == "__name__" => Some(if is_entry { "__main__" } else { "the module's name" }),
        Expr::Attribute(_) => match dotted(expression)? {
            ("sys", "platform") => Some("linux"),
            ("os", "name") => Some("posix"),
            _ => None,
        },
        Expr::Call(call) if call.arguments.is_empty() => {
            (dotted(&call.func)? == ("platform", "system")).then_some("Linux")
        }
        _ => None,
    }
}

fn compare_text(text: &str, op: CmpOp, right: &Expr) -> Option<bool> {
    let equals = |right: &Expr| right.as_string_literal_expr().map(|literal| literal.value.to_str() == text);
    let among = || match right {
        Expr::Tuple(several) => several.elts.iter().map(equals).collect::<Option<Vec<_>>>(),
        Expr::List(several) => several.elts.iter().map(equals).collect(),
        Expr::Set(several) => several.elts.iter().map(equals).collect(),
        _ => None,
    };
    match op {
        CmpOp::Eq => equals(right),
        CmpOp::NotEq => equals(right).map(|equal| !equal),
        CmpOp::In => among().map(|equal| equal.contains(&true)),
        CmpOp::NotIn => among().map(|equal| !equal.contains(&true)),
        _ => None,
    }
}

/// Returns how `sys.version_info`, or a part of it, compares with a literal. Of the default Python only the first two
/// numbers are known, so a literal that is equal in both decides nothing.
fn version(left: &Expr, right: &Expr) -> Option<Ordering> {
    const VERSION: [i64; 2] = [3, 14];
    let is_version = |expression: &Expr| dotted(expression) == Some(("sys", "version_info"));
    let single = |known: i64| number(right).map(|wanted| known.cmp(&wanted));
    match left {
        Expr::Attribute(attribute) if is_version(&attribute.value) => match attribute.attr.as_str() {
            "major" => single(VERSION[0]),
            "minor" => single(VERSION[1]),
            _ => None,
        },
        Expr::Subscript(subscript) if is_version(&subscript.value) => {
            match (number(&subscript.slice), &*subscript.slice) {
                (Some(0), _) => single(VERSION[0]),
                (Some(1), _) => single(VERSION[1]),
                (None, Expr::Slice(slice)) if slice.lower.is_none() && slice.step.is_none() => {
                    let length = usize::try_from(number(slice.upper.as_deref()?)?).ok()?;
                    let wanted = numbers(right)?;
                    (length <= 2).then(|| VERSION[..length].cmp(&wanted))
                }
                _ => None,
            }
        }
        _ if is_version(left) => {
            let wanted = numbers(right)?;
            let known = VERSION.get(..wanted.len()).unwrap_or(&VERSION);
            match known.cmp(wanted.get(..known.len())?) {
                // `sys.version_info` is longer than what it is compared with, and so greater.
                Ordering::Equal => (wanted.len() <= VERSION.len()).then_some(Ordering::Greater),
                ordering => Some(ordering),
            }
        }
        _ => None,
    }
}

fn numbers(expression: &Expr) -> Option<Vec<i64>> {
    expression.as_tuple_expr()?.elts.iter().map(number).collect()
}

fn number(expression: &Expr) -> Option<i64> {
    match &expression.as_number_literal_expr()?.value {
        Number::Int(value) => value.as_i64(),
        Number::Float(_) | Number::Complex { .. } => None,
    }
}

fn dotted(expression: &Expr) -> Option<(&str, &str)> {
    let attribute = expression.as_attribute_expr()?;
    Some((attribute.value.as_name_expr()?.id.as_str(), attribute.attr.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_version_and_platform_are_known() {
        for (condition, value) in [
            ("True", Some(true)),
            ("0", Some(false)),
            ("TYPE_CHECKING", Some(false)),
            ("typing.TYPE_CHECKING", Some(false)),
            ("not TYPE_CHECKING", Some(true)),
            ("sys.version_info >= (3, 11)", Some(true)),
            ("sys.version_info < (3, 11)", Some(false)),
            ("sys.version_info >= (3,)", Some(true)),
            ("sys.version_info > (3, 14)", Some(true)),
            ("sys.version_info >= (3, 14)", Some(true)),
            ("sys.version_info >= (3, 15)", Some(false)),
            ("sys.version_info >= (3, 14, 1)", None),
            ("sys.version_info >= (3, 13, 1)", Some(true)),
            ("sys.version_info[0] == 2", Some(false)),
            ("sys.version_info.major >= 3", Some(true)),
            ("sys.version_info[:2] == (3, 14)", Some(true)),
            ("sys.version_info[:2] < (3, 12)", Some(false)),
            ("sys.version_info[1:] < (3, 12)", None),
            ("sys.version_info >= minimum", None),
            ("sys.platform == 'win32'", Some(false)),
            ("sys.platform != 'win32'", Some(true)),
            ("sys.platform in ('win32', 'cygwin')", Some(false)),
            ("sys.platform.startswith('win')", Some(false)),
            ("sys.platform.startswith('linux')", Some(true)),
            ("os.name == 'nt'", Some(false)),
            ("platform.system() == 'Windows'", Some(false)),
            ("platform.system() == name", None),
            ("os.name == 'nt' or sys.platform == 'darwin'", Some(false)),
            ("os.name == 'nt' or debug", None),
            ("os.name == 'nt' and debug", Some(false)),
            ("__name__ == '__main__'", Some(true)),
            ("debug", None),
            ("1 < 2 < 3", None),
        ] {
            let parsed = ruff_python_parser::parse_expression(condition).unwrap();
            assert_eq!(truth(parsed.expr(), true), value, "{condition}");
        }
    }

    #[test]
    fn an_imported_module_is_not_main() {
        let parsed = ruff_python_parser::parse_expression("__name__ == '__main__'").unwrap();
        assert_eq!(truth(parsed.expr(), false), Some(false));
    }
}
