//! Loops whose body is certain to run: over literals, ranges of known length, and names that stand for such.

use ruff_python_ast::{Expr, Number};
use std::collections::HashMap;

/// Expressions looked at for one loop, and elements of one list: names may stand for each other many times over.
const STEPS_MAX: u8 = 32;

/// Values that names were last assigned.
#[derive(Default)]
pub(super) struct Values<'a>(HashMap<&'a str, &'a Expr>);

impl<'a> Values<'a> {
    /// Notes an assignment.
    pub(super) fn assign(&mut self, target: &'a Expr, value: &'a Expr) {
        if let Expr::Name(name) = target {
            self.0.insert(name.id.as_str(), value);
        }
    }

    /// Forgets a name that got a value which is not known.
    pub(super) fn forget(&mut self, target: &Expr) {
        if let Expr::Name(name) = target {
            self.0.remove(name.id.as_str());
        }
    }

    /// Returns what an expression stands for: of a name, what it was last assigned.
    pub(super) fn meant<'e>(&self, expression: &'e Expr) -> &'e Expr
    where
        'a: 'e,
    {
        let mut meant = expression;
        for _ in 0..STEPS_MAX {
            match meant.as_name_expr().and_then(|name| self.0.get(name.id.as_str())) {
                Some(&value) => meant = value,
                None => break,
            }
        }
        meant
    }

    /// Returns whether a loop over the expression runs its body at least once, as far as that is known.
    pub(super) fn is_repeated(&self, over: &Expr) -> bool {
        let mut steps = STEPS_MAX;
        self.is_full(over, &mut steps)
    }

    fn is_full(&self, expression: &Expr, steps: &mut u8) -> bool {
        let Some(left) = steps.checked_sub(1) else { return false };
        *steps = left;
        let has_element =
            |elements: &[Expr]| elements.iter().take(STEPS_MAX.into()).any(|element| !element.is_starred_expr());
        match expression {
            Expr::List(list) => has_element(&list.elts),
            Expr::Tuple(tuple) => has_element(&tuple.elts),
            Expr::Set(set) => has_element(&set.elts),
            Expr::Dict(dict) => dict.items.iter().take(STEPS_MAX.into()).any(|item| item.key.is_some()),
            Expr::StringLiteral(text) => !text.value.is_empty(),
            Expr::Name(name) => self.0.get(name.id.as_str()).is_some_and(|value| self.is_full(value, steps)),
            Expr::ListComp(made) => {
                made.generators.iter().all(|one| one.ifs.is_empty() && self.is_full(&one.iter, steps))
            }
            Expr::Call(call) => match &*call.func {
                Expr::Name(function) => {
                    let arguments = &call.arguments.args;
                    match (function.id.as_str(), &**arguments) {
                        ("range", [end]) => self.number(end, steps).is_some_and(|end| end > 0),
                        ("range", [start, end]) => {
                            let (start, end) = (self.number(start, steps), self.number(end, steps));
                            start.zip(end).is_some_and(|(start, end)| start < end)
                        }
                        ("map", [_, over]) => self.is_full(over, steps),
                        (
                            "enumerate" | "reversed" | "sorted" | "list" | "tuple" | "set" | "iter" | "tqdm",
                            [over, ..],
                        ) => self.is_full(over, steps),
                        ("zip", several) => !several.is_empty() && several.iter().all(|one| self.is_full(one, steps)),
                        _ => false,
                    }
                }
                Expr::Attribute(method) => {
                    matches!(method.attr.as_str(), "items" | "keys" | "values") && self.is_full(&method.value, steps)
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn number(&self, expression: &Expr, steps: &mut u8) -> Option<i64> {
        *steps = steps.checked_sub(1)?;
        match expression {
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(value) => value.as_i64(),
                Number::Float(_) | Number::Complex { .. } => None,
            },
            Expr::Name(name) => self.number(self.0.get(name.id.as_str())?, steps),
            _ => None,
        }
    }
}
