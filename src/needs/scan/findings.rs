//! Makes findings of what the scan met, now that it is known what runs.

use super::{Findings, Import, Scanner, Use, handlers::is_sys_modules, top_of};
use crate::needs::{Capability, Urgency, calls, extras, installs, reach::Way};
use ruff_python_ast::{self as ast, Expr};
use std::collections::HashSet;

impl Scanner<'_, '_> {
    pub(super) fn finish(mut self, source: &str) -> Findings {
        let reached = self.scopes.reached();
        let lines = Lines::of(source);
        let mut findings = Findings { changes_path: self.changes_path, ..Findings::default() };
        findings.made = self.made.iter().map(|module| top_of(module).to_owned()).collect();
        let words: HashSet<&str> = self.texts.iter().map(|text| top_of(text)).collect();
        let mentioned = |module: &str| words.contains(top_of(module));
        let files: HashSet<&str> = self.texts.iter().filter_map(|text| module_of_file(text)).collect();
        let written =
            |module: &str| files.contains(top_of(module)) || self.makes_modules && words.contains(top_of(module));
        let mut seen = HashSet::new();
        for import in &self.imports {
            let urgency = import.position.of_import(&reached);
            if seen.insert((import.level, import.module, &import.names, urgency)) {
                findings.imports.push(Import {
                    level: import.level,
                    module: import.module.to_owned(),
                    names: import.names.iter().map(|&name| name.to_owned()).collect(),
                    urgency,
                    line: lines.at(import.offset),
                    mentioned: mentioned(import.module),
                    written: written(import.module),
                });
            }
        }
        let mut seen = HashSet::new();
        let mut add = |capability, what: String, urgency: Urgency, offset: usize| {
            if seen.insert((capability, urgency)) {
                findings.uses.push(Use { capability, what, urgency, line: lines.at(offset) });
            }
        };
        for text in &self.texts {
            extras::of_text(text, |extra| findings.extras.push((extra, None, 1)));
        }
        let mut dynamic = Vec::new();
        let mut connects = Vec::new();
        for &(call, position) in &self.calls {
            let offset = call.range.start().to_usize();
            let urgency = position.of_use(&reached);
            if let Expr::Attribute(method) = &*call.func {
                if let Some((name, capability)) = calls::needed_by_method(method.attr.as_str()) {
                    add(capability, name.to_owned(), urgency, offset);
                    continue;
                }
                if method.attr.as_str() == "connect" && calls::connects_outside(&call.arguments) {
                    connects.push((urgency, offset));
                }
            }
            let functions = self.resolve(&call.func);
            extras::of_call(call, &functions, |extra| findings.extras.push((extra, Some(urgency), lines.at(offset))));
            self.children(call, &functions, urgency, &mut findings.children);
            for function in functions {
                findings.made.extend(put_into_modules(&function, &call.arguments));
                if let Some(name) = distribution_asked(&function, &call.arguments) {
                    findings.distributions.push((name, position.of_distribution(&reached), lines.at(offset)));
                }
                if let Some(installation) = installs::of_call(&function, &call.arguments) {
                    findings.installations.push((installation, urgency));
                }
                if let Some(module) = imported_by(&function, &call.arguments) {
                    dynamic.push((module, position.of_import(&reached), offset));
                } else if let Some(capability) =
                    calls::needed(&function, &call.arguments, &|name| self.values.meant(name))
                {
                    // To make a thread starts none.
                    let is_made = calls::makes_what_is_shared(&function)
                        || !self.starts && calls::makes_what_is_started(&function);
                    add(capability, function, if is_made { urgency.max(Urgency::Later) } else { urgency }, offset);
                }
            }
        }
        for &(base, class, position) in &self.bases {
            let urgency = match reached.how(class) {
                Some(Way::Open) => position.of_use(&reached),
                Some(Way::Guarded) => Urgency::Guarded.max(position.of_use(&reached)),
                None => Urgency::Later.max(position.of_use(&reached)),
            };
            for name in self.resolve(base) {
                if let Some(capability) = calls::needed_by_subclass(&name) {
                    add(capability, name, urgency, start(base));
                }
            }
        }
        if findings.uses.iter().any(|found| found.capability == Capability::Sockets) {
            for (urgency, offset) in connects {
                let what = "connect".to_owned();
                findings.uses.push(Use { capability: Capability::Network, what, urgency, line: lines.at(offset) });
            }
        }
        for (module, urgency, offset) in dynamic {
            let level = module.bytes().take_while(|&byte| byte == b'.').count();
            findings.imports.push(Import {
                level: u32::try_from(level).unwrap_or(u32::MAX),
                module: module[level..].to_owned(),
                names: Vec::new(),
                urgency,
                line: lines.at(offset),
                mentioned: true,
                written: written(&module[level..]),
            });
        }
        findings
    }

    /// Adds the code that a call has another interpreter run.
    fn children(
        &self,
        call: &ast::ExprCall,
        functions: &[String],
        urgency: Urgency,
        children: &mut Vec<(String, Urgency)>,
    ) {
        let arguments = &*call.arguments.args;
        let words = match arguments.first().map(|first| self.values.meant(first)) {
            Some(Expr::List(list)) => &*list.elts,
            Some(Expr::Tuple(tuple)) => &*tuple.elts,
            _ if functions.iter().any(|name| name.ends_with(".create_subprocess_exec")) => arguments,
            _ => return,
        };
        let is_python = match words.first().map(|first| self.values.meant(first)) {
            Some(Expr::Attribute(attribute)) => attribute.attr.as_str() == "executable",
            Some(Expr::StringLiteral(text)) => text.value.to_str().contains("python"),
            _ => false,
        };
        if !is_python {
            return;
        }
        let is_option =
            |word: &Expr, option: &str| word.as_string_literal_expr().is_some_and(|text| text.value.to_str() == option);
        if let Some(at) = words.iter().position(|word| is_option(word, "-c")) {
            children.extend(words.get(at + 1).and_then(|code| self.text(code)).map(|code| (dedented(code), urgency)));
        } else if words.len() > 1 && !words.iter().any(|word| is_option(word, "-m")) {
            // Which text is in the file is not followed, so that it may be another.
            let code = self.texts.iter().filter(|text| text.contains("import "));
            children.extend(code.map(|text| (dedented(text), urgency.max(Urgency::Guarded))));
        }
    }

    /// Returns the text that an expression stands for, with blanks around it or without.
    fn text<'t>(&'t self, expression: &'t Expr) -> Option<&'t str> {
        match self.values.meant(expression) {
            Expr::StringLiteral(text) => Some(text.value.to_str()),
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) if method.attr.as_str() == "strip" => self.text(&method.value),
                Expr::Attribute(function) if function.attr.as_str() != "dedent" => None,
                Expr::Name(function) if function.id != "dedent" => None,
                _ => self.text(call.arguments.args.first()?),
            },
            _ => None,
        }
    }

    /// Returns the full names that an expression such as `t.Thread` may stand for.
    pub(super) fn resolve(&self, expression: &Expr) -> Vec<String> {
        let mut parts = Vec::new();
        let mut expression = expression;
        let root = loop {
            match expression {
                Expr::Attribute(attribute) => {
                    parts.push(attribute.attr.as_str());
                    expression = &attribute.value;
                }
                Expr::Name(name) => break name.id.as_str(),
                _ => return Vec::new(),
            }
        };
        let full = |start: &str| {
            let mut name = start.to_owned();
            for part in parts.iter().rev() {
                name.push('.');
                name.push_str(part);
            }
            name
        };
        if root == "__import__" && parts.is_empty() {
            return vec!["builtins.__import__".to_owned()];
        }
        match self.aliases.get(root) {
            Some(module) if (self.is_own)(top_of(module)) => Vec::new(),
            Some(module) => vec![full(module)],
            None => {
                let own = |module: &&&str| !(self.is_own)(top_of(module));
                self.stars.iter().filter(own).map(|module| full(&format!("{module}.{root}"))).collect()
            }
        }
    }
}

/// Returns the top-level module or package that a file of this name is, or is in.
fn module_of_file(text: &str) -> Option<&str> {
    let path = text.strip_suffix(".py")?;
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.rsplit('/').next().filter(|name| !name.is_empty())
}

/// Removes the blanks that all lines begin with.
fn dedented(code: &str) -> String {
    let blanks = |line: &str| line.len() - line.trim_start().len();
    let common = code.lines().filter(|line| !line.trim().is_empty()).map(blanks).min().unwrap_or(0);
    let lines = code.lines().map(|line| line.get(common..).unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns where a name or an attribute starts.
fn start(expression: &Expr) -> usize {
    match expression {
        Expr::Name(name) => name.range.start().to_usize(),
        Expr::Attribute(attribute) => attribute.range.start().to_usize(),
        _ => 0,
    }
}

/// Returns the module that a call imports, when it is one that does and the name is a literal.
fn imported_by(function: &str, arguments: &ast::Arguments) -> Option<String> {
    if !matches!(function, "builtins.__import__" | "importlib.import_module" | "importlib.__import__") {
        return None;
    }
    match arguments.find_argument_value("name", 0)? {
        Expr::StringLiteral(name) => Some(name.value.to_str().to_owned()).filter(|name| !name.is_empty()),
        _ => None,
    }
}

/// Returns the distribution that a call asks about, where its name is a literal.
fn distribution_asked(function: &str, arguments: &ast::Arguments) -> Option<String> {
    let (module, name) = function.rsplit_once('.')?;
    let asks = match module {
        "importlib.metadata" | "importlib_metadata" => {
            matches!(name, "version" | "distribution" | "metadata" | "requires" | "files")
        }
        "pkg_resources" => matches!(name, "get_distribution" | "require"),
        _ => false,
    };
    let name = arguments.args.first().or_else(|| Some(&arguments.keywords.first()?.value)).filter(|_| asks)?;
    Some(name.as_string_literal_expr()?.value.to_str().to_owned())
}

/// Returns the top-level modules that a call puts into `sys.modules`, as far as its arguments are literals.
fn put_into_modules(function: &str, arguments: &ast::Arguments) -> Vec<String> {
    let target_is_modules = || match arguments.args.first() {
        Some(Expr::StringLiteral(text)) => text.value.to_str() == "sys.modules",
        Some(other) => is_sys_modules(other),
        None => false,
    };
    let texts = match function {
        "sys.modules.setdefault" => arguments.args.first().into_iter().collect(),
        "sys.modules.update" => arguments.args.first().map(keys).unwrap_or_default(),
        _ if function.ends_with("patch.dict") && target_is_modules() => {
            arguments.args.get(1).map(keys).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let name = |text: &Expr| Some(top_of(text.as_string_literal_expr()?.value.to_str()).to_owned());
    texts.into_iter().filter_map(name).collect()
}

fn keys(dictionary: &Expr) -> Vec<&Expr> {
    match dictionary {
        Expr::Dict(dictionary) => dictionary.items.iter().filter_map(|item| item.key.as_ref()).collect(),
        _ => Vec::new(),
    }
}

/// Line numbers, from 1.
struct Lines(Vec<usize>);

impl Lines {
    fn of(source: &str) -> Lines {
        Lines(source.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at).collect())
    }

    fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|&end| end < offset) + 1).unwrap_or(u32::MAX)
    }
}
