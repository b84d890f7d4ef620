//! What the code around an import makes of its failure.

use ruff_python_ast::{
    Expr, Stmt,
    visitor::{self, Visitor},
};

/// Says what an exception handler is for, as far as imports go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    /// Imports that fail, and nothing else.
    ImportsAlone,
    /// Imports that fail among others.
    ImportsToo,
    Others,
}

impl Caught {
    pub(super) fn by_any(exceptions: &[Expr]) -> Caught {
        let each = || exceptions.iter().map(|one| Caught::by(Some(one)));
        match (each().any(|one| one != Caught::Others), each().all(|one| one == Caught::ImportsAlone)) {
            (true, true) => Caught::ImportsAlone,
            (true, false) => Caught::ImportsToo,
            (false, _) => Caught::Others,
        }
    }

    pub(super) fn by(exception: Option<&Expr>) -> Caught {
        let name = match exception {
            None => return Caught::ImportsToo,
            Some(Expr::Tuple(several)) => return Caught::by_any(&several.elts),
            Some(Expr::Name(name)) => name.id.as_str(),
            Some(Expr::Attribute(attribute)) => attribute.attr.as_str(),
            Some(_) => return Caught::Others,
        };
        match name {
            "ImportError" | "ModuleNotFoundError" => Caught::ImportsAlone,
            "Exception" | "BaseException" => Caught::ImportsToo,
            _ => Caught::Others,
        }
    }
}

/// Returns whether a handler is for distributions that are not there, among others.
pub(super) fn catches_distributions(exception: Option<&Expr>) -> bool {
    let name = match exception {
        Some(Expr::Tuple(several)) => return several.elts.iter().any(|one| catches_distributions(Some(one))),
        Some(Expr::Name(name)) => name.id.as_str(),
        Some(Expr::Attribute(attribute)) => attribute.attr.as_str(),
        Some(_) => return false,
        None => return true,
    };
    matches!(name, "PackageNotFoundError" | "DistributionNotFound") || Caught::by(exception) != Caught::Others
}

/// Returns whether a handler binds a name to something else than what failed. To keep the `error` is to note it.
pub(super) fn puts_in_place(body: &[Stmt], error: Option<&str>) -> bool {
    let is_note = |targets: &[Expr], value: &Expr| {
        let in_container = |target: &Expr| match target {
            Expr::Subscript(item) => !is_sys_modules(&item.value),
            _ => false,
        };
        targets.iter().all(in_container) || error.is_some_and(|error| names(value, error))
    };
    !gives_up(body)
        && body.iter().any(|stmt| match stmt {
            Stmt::Assign(assignment) => !is_note(&assignment.targets, &assignment.value),
            Stmt::AnnAssign(assignment) => {
                let target = std::slice::from_ref(&*assignment.target);
                assignment.value.as_ref().is_some_and(|value| !is_note(target, value))
            }
            Stmt::Import(_) | Stmt::ImportFrom(_) | Stmt::FunctionDef(_) | Stmt::ClassDef(_) => true,
            Stmt::Try(attempt) => puts_in_place(&attempt.body, error),
            Stmt::If(choice) => {
                let others = choice.elif_else_clauses.iter().map(|clause| &clause.body);
                std::iter::once(&choice.body).chain(others).any(|body| puts_in_place(body, error))
            }
            _ => false,
        })
}

/// Returns whether an expression has a name in it.
fn names(expression: &Expr, name: &str) -> bool {
    struct Search<'n>(&'n str, bool);
    impl<'a> Visitor<'a> for Search<'_> {
        fn visit_expr(&mut self, expression: &'a Expr) {
            self.1 |= expression.as_name_expr().is_some_and(|name| name.id.as_str() == self.0);
            visitor::walk_expr(self, expression);
        }
    }
    let mut search = Search(name, false);
    search.visit_expr(expression);
    search.1
}

/// Returns whether an expression is `sys.modules`.
pub(super) fn is_sys_modules(expression: &Expr) -> bool {
    let Expr::Attribute(attribute) = expression else { return false };
    attribute.attr.as_str() == "modules" && attribute.value.as_name_expr().is_some_and(|name| name.id == "sys")
}

/// Returns whether a statement of this expression ends the program.
pub(super) fn exits(expression: &Expr) -> bool {
    let Expr::Call(call) = expression else { return false };
    match &*call.func {
        Expr::Name(name) => matches!(name.id.as_str(), "exit" | "quit"),
        Expr::Attribute(attribute) => {
            let module = attribute.value.as_name_expr().map(|module| module.id.as_str());
            matches!((module, attribute.attr.as_str()), (Some("sys"), "exit") | (Some("os"), "_exit" | "abort"))
        }
        _ => false,
    }
}

/// Returns whether a handler raises, exits, or installs what failed, instead of doing without.
pub(super) fn gives_up(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Raise(_) => true,
        Stmt::Expr(expression) => match &*expression.value {
            Expr::Call(call) => match &*call.func {
                Expr::Name(name) => matches!(name.id.as_str(), "exit" | "quit"),
                Expr::Attribute(attribute) => match (&*attribute.value, attribute.attr.as_str()) {
                    (Expr::Name(module), function) => matches!(
                        (module.id.as_str(), function),
                        ("sys", "exit") | ("os", "_exit" | "abort" | "system") | ("subprocess", _) | ("pip", "main")
                    ),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        },
        _ => false,
    })
}
