//! Names in code, for rules that refuse some of them. Code that wants to hide a name can: this is advice to honest code,
//! and keeps nobody in.

use super::syntax::with_syntax;
use ruff_python_ast::{
    self as ast, Expr, ExprContext, Stmt,
    visitor::{Visitor, walk_expr, walk_stmt},
};
use std::collections::{BTreeMap, BTreeSet};

/// Collects the full names of all that code imports and refers to.
#[derive(Debug, Default)]
pub(crate) struct Names {
    imported: BTreeSet<String>,
    referred: BTreeSet<String>,
}

impl Names {
    /// Reads the names in a script; `None` when it is nested too deeply. Where its syntax is wrong, names may be missing.
    pub(crate) fn of(source: &str) -> Option<Names> {
        let read = |parsed: &ruff_python_parser::Parsed<ast::ModModule>| {
            let mut imports = Imports::default();
            imports.visit_body(&parsed.syntax().body);
            let mut references = References { imports: &imports, found: BTreeSet::new() };
            references.visit_body(&parsed.syntax().body);
            Names { referred: references.found, imported: imports.names }
        };
        with_syntax(source, read).ok()
    }

    /// Returns the first rule that refuses a name. `os.system` refuses that name and all below it; `os.exec*` all names that
    /// begin so.
    pub(crate) fn refused<'r>(&self, rules: &'r [String]) -> Option<&'r str> {
        let all = || self.imported.iter().chain(&self.referred);
        rules.iter().map(String::as_str).find(|rule| all().any(|name| matches(name, rule)))
    }

    /// Returns the top-level modules that are imported.
    pub(crate) fn modules(&self) -> BTreeSet<&str> {
        self.imported.iter().filter_map(|name| name.split('.').next()).filter(|name| !name.is_empty()).collect()
    }
}

fn matches(name: &str, rule: &str) -> bool {
    if let Some(beginning) = rule.strip_suffix('*') {
        return name.starts_with(beginning);
    }
    name.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What imports bind, wherever they stand.
#[derive(Default)]
struct Imports {
    /// Full names.
    names: BTreeSet<String>,
    /// Full names by local ones.
    bound: BTreeMap<String, BTreeSet<String>>,
    /// Modules of which everything is imported.
    stars: BTreeSet<String>,
}

impl Imports {
    fn bind(&mut self, local: &str, full: &str) {
        self.bound.entry(local.to_owned()).or_default().insert(full.to_owned());
    }
}

impl<'a> Visitor<'a> for Imports {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let full = alias.name.as_str();
                    self.names.insert(full.to_owned());
                    match &alias.asname {
                        Some(local) => self.bind(local.as_str(), full),
                        None => {
                            let top = full.split('.').next().unwrap_or(full);
                            self.bind(top, top);
                        }
                    }
                }
            }
            // What is relative is the project's own.
            Stmt::ImportFrom(import) if import.level == 0 => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                self.names.insert(module.to_owned());
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        self.stars.insert(module.to_owned());
                        continue;
                    }
                    let full = format!("{module}.{}", alias.name);
                    let local = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.bind(local.as_str(), &full);
                    self.names.insert(full);
                }
            }
            other => walk_stmt(self, other),
        }
    }
}

struct References<'a> {
    imports: &'a Imports,
    found: BTreeSet<String>,
}

impl References<'_> {
    /// Returns what an expression may stand for, by name.
    fn full_names(&self, expression: &Expr) -> Vec<String> {
        match expression {
            Expr::Name(name) => {
                let local = name.id.as_str();
                let bound = self.imports.bound.get(local).into_iter().flatten().cloned();
                let starred = self.imports.stars.iter().map(|module| format!("{module}.{local}"));
                let all: Vec<_> = bound.chain(starred).collect();
                if self.imports.bound.contains_key(local) { all } else { [all, vec![local.to_owned()]].concat() }
            }
            Expr::Attribute(attribute) => {
                let values = self.full_names(&attribute.value).into_iter();
                let whole = |value: String| match &*value {
                    "builtins" | "__builtins__" => attribute.attr.to_string(),
                    value => format!("{value}.{}", attribute.attr),
                };
                values.map(whole).collect()
            }
            // As in `__import__("os").system`.
            Expr::Call(call) => {
                let functions = self.full_names(&call.func);
                let imports = functions.iter().any(|name| name == "__import__" || name == "importlib.import_module");
                match call.arguments.args.first() {
                    Some(Expr::StringLiteral(module)) if imports => vec![module.value.to_str().to_owned()],
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }
}

impl<'a> Visitor<'a> for References<'_> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        let is_read = match expression {
            Expr::Name(name) => name.ctx == ExprContext::Load,
            Expr::Attribute(_) | Expr::Call(_) => true,
            _ => false,
        };
        if is_read {
            self.found.extend(self.full_names(expression));
        }
        walk_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str, rules: &[&str]) -> bool {
        let rules: Vec<_> = rules.iter().map(|&rule| rule.to_owned()).collect();
        Names::of(source).expect("it is shallow").refused(&rules).is_some()
    }

    #[test]
    fn a_name_is_refused_however_it_is_reached() {
        for source in [
            "import os; os.system('ls')",
            "import os as o\no.system('ls')",
            "from os import system",
            "from os import system as s\ns('ls')",
            "from os import *\ndef f():\n    return system('ls')",
            "def f():\n    import os\n    class A:\n        x = [os.system for _ in y]",
            "import os\nrun = os.system\nrun('ls')",
            "__import__('os').system('ls')",
            "import importlib\nimportlib.import_module('os').system('ls')",
            "import os\nos.system",
            "import os.path\nos.system('ls')",
            "import os\nf'{os.system(1)}'",
            "import os\nos.system('ls'\n",
        ] {
            assert!(refused(source, &["os.system"]), "{source}");
        }
        for source in
            ["import os\nos.getcwd()", "import os\nos.systems()", "x.system()", "system = 3", "'os.system'", ""]
        {
            assert!(!refused(source, &["os.system"]), "{source}");
        }
    }

    #[test]
    fn a_rule_is_a_module_a_call_or_a_beginning() {
        assert!(refused("import subprocess", &["subprocess"]));
        assert!(refused("from subprocess import run", &["subprocess"]));
        assert!(refused("import os.path as p", &["os"]));
        assert!(!refused("import osmium", &["os"]));
        assert!(refused("import os\nos.execv('x', [])", &["os.exec*"]));
        assert!(refused("eval('1')", &["eval"]) && refused("import builtins\nbuiltins.eval('1')", &["eval"]));
        assert!(!refused("model.eval()\neval = 1", &["eval"]));
        assert!(!refused("anything()", &[]));
    }

    #[test]
    fn modules_are_named_by_their_top() {
        let names = Names::of("import os.path, numpy as np\nfrom sklearn.svm import SVC\nfrom . import own\n")
            .expect("it is shallow");
        assert_eq!(names.modules().into_iter().collect::<Vec<_>>(), ["numpy", "os", "sklearn"]);
    }

    #[test]
    fn hostile_code_is_bounded() {
        for source in ["(".repeat(100_000), "a.".repeat(50_000) + "b"] {
            assert!(Names::of(&source).is_none());
        }
        assert!(!refused(&("f(".repeat(900) + &")".repeat(900)), &["os"]));
    }
}
