//! What one source file imports and calls, from its syntax alone.

use super::{
    Capability, Urgency, calls,
    conditions::truth,
    extras::{self, Extra},
    installs::{self, Installation},
    python::Python,
    stdlib,
};
use ruff_python_ast::{
    self as ast, Expr, Stmt,
    visitor::{self, Visitor},
};
use std::collections::{HashMap, HashSet};

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) imports: Vec<Import>,
    pub(super) uses: Vec<Use>,
    /// What libraries take for how they are used; nothing says how urgent it is that they only get an address.
    pub(super) extras: Vec<(&'static Extra, Option<Urgency>, u32)>,
    /// Calls that install packages.
    pub(super) installations: Vec<(Installation, Urgency)>,
    /// It looks at `sys.path`, so it may import from anywhere.
    pub(super) changes_path: bool,
}

/// `import module`, or `from module import names`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Import {
    /// Leading dots.
    pub(super) level: u32,
    pub(super) module: String,
    pub(super) names: Vec<String>,
    pub(super) urgency: Urgency,
    pub(super) line: u32,
    /// The first part of its name is a word in some text of the file.
    pub(super) mentioned: bool,
    /// A text of the file is the name of a file that this module would be in.
    pub(super) written: bool,
}

/// A call that needs a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) capability: Capability,
    pub(super) what: String,
    pub(super) urgency: Urgency,
    pub(super) line: u32,
}

/// Looks through a module. `is_entry` says whether it runs as `__main__`; `is_own` knows the project's top-level modules.
pub(super) fn scan(module: &ast::ModModule, source: &str, is_entry: bool, is_own: &dyn Fn(&str) -> bool) -> Findings {
    let mut scanner = Scanner {
        is_entry,
        is_own,
        context: Context::default(),
        imports: Vec::new(),
        calls: Vec::new(),
        bases: Vec::new(),
        aliases: HashMap::new(),
        stars: Vec::new(),
        texts: Vec::new(),
        changes_path: false,
    };
    scanner.visit_body(&module.body);
    scanner.finish(source)
}

/// Where in the program a statement stands.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    /// Runs only if something else happens: a function is called, an exception is raised.
    later: bool,
    /// Never runs here, or only if something is missing that will be there.
    needless: bool,
    caught: Caught,
}

/// Which exceptions the code around handles without giving up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Caught(u8);

impl Caught {
    const IMPORT: Caught = Caught(1);
    const RUNTIME: Caught = Caught(2);
    const OS: Caught = Caught(4);
    const NETWORK: Caught = Caught(8);
    const ALL: Caught = Caught(15);

    fn has(self, other: Caught) -> bool {
        self.0 & other.0 == other.0
    }

    fn and(self, other: Caught) -> Caught {
        Caught(self.0 | other.0)
    }

    fn by(exception: Option<&Expr>) -> Caught {
        let name = match exception {
            None => return Caught::ALL,
            Some(Expr::Tuple(several)) => {
                return several.elts.iter().fold(Caught::default(), |all, one| all.and(Caught::by(Some(one))));
            }
            Some(Expr::Name(name)) => name.id.as_str(),
            Some(Expr::Attribute(attribute)) => attribute.attr.as_str(),
            Some(_) => return Caught::default(),
        };
        match name {
            "Exception" | "BaseException" => Caught::ALL,
            "ImportError" | "ModuleNotFoundError" => Caught::IMPORT,
            "RuntimeError" => Caught::RUNTIME,
            "OSError" | "IOError" | "EnvironmentError" | "PermissionError" => Caught::OS.and(Caught::NETWORK),
            "error" | "gaierror" | "ConnectionError" | "URLError" | "RequestException" | "RequestError"
            | "HTTPError" | "ClientError" | "TransportError" => Caught::NETWORK,
            _ => Caught::default(),
        }
    }

    /// What is raised where the capability is not there.
    fn of(capability: Capability) -> Caught {
        match capability {
            Capability::Threads => Caught::RUNTIME,
            Capability::Processes | Capability::Libraries | Capability::Signals | Capability::Sockets => Caught::OS,
            Capability::Network => Caught::NETWORK,
            Capability::Modules => Caught::IMPORT,
        }
    }
}

impl Context {
    fn urgency(self, raised: Caught) -> Urgency {
        if self.needless || self.caught.has(raised) {
            Urgency::Optional
        } else if self.later {
            Urgency::Later
        } else {
            Urgency::Required
        }
    }
}

struct RawImport<'a> {
    level: u32,
    module: &'a str,
    names: Vec<&'a str>,
    urgency: Urgency,
    offset: usize,
}

struct Scanner<'a, 'x> {
    is_entry: bool,
    is_own: &'x dyn Fn(&str) -> bool,
    context: Context,
    imports: Vec<RawImport<'a>>,
    calls: Vec<(&'a ast::ExprCall, Context)>,
    bases: Vec<(&'a Expr, Context)>,
    /// Names in the file, and what they were imported as.
    aliases: HashMap<&'a str, String>,
    stars: Vec<&'a str>,
    texts: Vec<&'a str>,
    changes_path: bool,
}

impl<'a> Visitor<'a> for Scanner<'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                self.visit_parameters(&function.parameters);
                self.within(Self::called, |scanner| scanner.visit_body(&function.body));
            }
            Stmt::ClassDef(class) => {
                let bases = class.arguments.iter().flat_map(|arguments| &arguments.args);
                let context = Context { later: true, ..self.context };
                self.bases.extend(bases.map(|base| (base, context)));
                visitor::walk_stmt(self, stmt);
            }
            // A docstring is for people.
            Stmt::Expr(statement) if statement.value.is_string_literal_expr() => {}
            Stmt::If(choice) => self.choice(choice),
            Stmt::Try(attempt) => self.attempt(attempt),
            Stmt::With(with) => {
                for item in &with.items {
                    self.visit_with_item(item);
                }
                let caught =
                    with.items.iter().fold(Caught::default(), |all, item| all.and(suppressed(&item.context_expr)));
                self.within(
                    |context| context.caught = context.caught.and(caught),
                    |scanner| scanner.visit_body(&with.body),
                );
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Call(call) => {
                self.calls.push((call, self.context));
                visitor::walk_expr(self, expression);
            }
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_parameters(parameters);
                }
                self.within(Self::called, |scanner| scanner.visit_expr(&lambda.body));
            }
            Expr::Attribute(attribute) => {
                let is_path = attribute.attr.as_str() == "path"
                    && attribute.value.as_name_expr().is_some_and(|name| name.id == "sys");
                self.changes_path |= is_path || attribute.attr.as_str() == "addsitedir";
                visitor::walk_expr(self, expression);
            }
            _ => visitor::walk_expr(self, expression),
        }
    }

    fn visit_string_literal(&mut self, text: &'a ast::StringLiteral) {
        self.texts.push(&text.value);
    }

    fn visit_interpolated_string_element(&mut self, element: &'a ast::InterpolatedStringElement) {
        if let ast::InterpolatedStringElement::Literal(text) = element {
            self.texts.push(&text.value);
        }
        visitor::walk_interpolated_string_element(self, element);
    }

    /// They are not run, as a rule, and hold no calls.
    fn visit_annotation(&mut self, _: &'a Expr) {}
}

impl<'a> Scanner<'a, '_> {
    /// Runs `visit` in a changed context.
    fn within(&mut self, change: impl FnOnce(&mut Context), visit: impl FnOnce(&mut Self)) {
        let before = self.context;
        change(&mut self.context);
        visit(self);
        self.context = before;
    }

    /// The context of a function's body: handlers around its definition do not see its exceptions.
    fn called(context: &mut Context) {
        *context = Context { later: true, caught: Caught::default(), needless: context.needless };
    }

    fn import(&mut self, import: &'a ast::StmtImport) {
        let urgency = self.context.urgency(Caught::IMPORT);
        for alias in &import.names {
            let module = alias.name.as_str();
            match &alias.asname {
                Some(name) => drop(self.aliases.insert(name.as_str(), module.to_owned())),
                None => {
                    let top = top_of(module);
                    self.aliases.insert(top, top.to_owned());
                }
            }
            self.imports.push(RawImport {
                level: 0,
                module,
                names: Vec::new(),
                urgency,
                offset: import.range.start().to_usize(),
            });
        }
    }

    fn import_from(&mut self, import: &'a ast::StmtImportFrom) {
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        let mut names = Vec::new();
        for alias in &import.names {
            let name = alias.name.as_str();
            if name == "*" {
                if import.level == 0 {
                    self.stars.push(module);
                }
                continue;
            }
            names.push(name);
            if import.level == 0 {
                let bound = alias.asname.as_ref().map_or(name, |name| name.as_str());
                self.aliases.insert(bound, format!("{module}.{name}"));
            }
        }
        let urgency = self.context.urgency(Caught::IMPORT);
        self.imports.push(RawImport {
            level: import.level,
            module,
            names,
            urgency,
            offset: import.range.start().to_usize(),
        });
    }

    fn choice(&mut self, choice: &'a ast::StmtIf) {
        let mut decided = false;
        let first = (Some(&*choice.test), &choice.body);
        let others = choice.elif_else_clauses.iter().map(|clause| (clause.test.as_ref(), &clause.body));
        for (test, body) in std::iter::once(first).chain(others) {
            let value = test.map_or(Some(true), |test| truth(test, self.is_entry));
            if let Some(test) = test {
                self.visit_expr(test);
            }
            let needless = decided || value == Some(false);
            self.within(|context| context.needless |= needless, |scanner| scanner.visit_body(body));
            decided |= value == Some(true);
        }
    }

    fn attempt(&mut self, attempt: &'a ast::StmtTry) {
        let handlers = || attempt.handlers.iter().map(|ast::ExceptHandler::ExceptHandler(handler)| handler);
        let handled = |handler: &ast::ExceptHandlerExceptHandler| match gives_up(&handler.body) {
            true => Caught::default(),
            false => Caught::by(handler.type_.as_deref()),
        };
        let caught = handlers().map(handled).fold(Caught::default(), Caught::and);
        let imports_before = self.imports.len();
        self.within(|context| context.caught = context.caught.and(caught), |scanner| scanner.visit_body(&attempt.body));

        let imports = self.imports.get(imports_before..).unwrap_or_default();
        let imports_something = !imports.is_empty();
        let all_present = imports.iter().all(|import| import.level > 0 || self.is_present(top_of(import.module)));
        for handler in handlers() {
            if let Some(exception) = handler.type_.as_deref() {
                self.visit_expr(exception);
            }
            // What stands in for an import matters where that is missing, and not where it is made sure of.
            let stands_in = imports_something && Caught::by(handler.type_.as_deref()).has(Caught::IMPORT);
            let needless = stands_in && (all_present || gives_up(&handler.body));
            let change = |context: &mut Context| {
                context.needless |= needless;
                context.later |= !stands_in;
            };
            self.within(change, |scanner| scanner.visit_body(&handler.body));
        }
        self.visit_body(&attempt.orelse);
        self.visit_body(&attempt.finalbody);
    }

    fn is_present(&self, module: &str) -> bool {
        (self.is_own)(module) || stdlib::lifetime(module).is_some_and(|lifetime| lifetime.newest >= Python::WASM)
    }

    fn finish(self, source: &str) -> Findings {
        let lines = Lines::of(source);
        let mut findings = Findings { changes_path: self.changes_path, ..Findings::default() };
        let no_name = |c: char| !c.is_alphanumeric() && c != '_';
        let words: HashSet<&str> = self.texts.iter().flat_map(|text| text.split(no_name)).collect();
        let mentioned = |module: &str| words.contains(top_of(module));
        let files: HashSet<&str> = self.texts.iter().filter_map(|text| module_of_file(text)).collect();
        let written = |module: &str| files.contains(top_of(module));
        let mut seen = HashSet::new();
        for import in &self.imports {
            if seen.insert((import.level, import.module, &import.names, import.urgency)) {
                findings.imports.push(Import {
                    level: import.level,
                    module: import.module.to_owned(),
                    names: import.names.iter().map(|&name| name.to_owned()).collect(),
                    urgency: import.urgency,
                    line: lines.at(import.offset),
                    mentioned: mentioned(import.module),
                    written: written(import.module),
                });
            }
        }
        let mut seen = HashSet::new();
        let mut add = |capability, what: String, context: Context, offset: usize| {
            let urgency = context.urgency(Caught::of(capability));
            if seen.insert((capability, urgency)) {
                findings.uses.push(Use { capability, what, urgency, line: lines.at(offset) });
            }
        };
        for text in &self.texts {
            extras::of_text(text, |extra| findings.extras.push((extra, None, 1)));
        }
        let mut dynamic = Vec::new();
        let mut connects = Vec::new();
        for &(call, context) in &self.calls {
            let offset = call.range.start().to_usize();
            if let Expr::Attribute(method) = &*call.func {
                if let Some((name, capability)) = calls::needed_by_method(method.attr.as_str()) {
                    add(capability, name.to_owned(), context, offset);
                    continue;
                }
                if method.attr.as_str() == "connect" && calls::connects_outside(&call.arguments) {
                    connects.push((context, offset));
                }
            }
            let functions = self.resolve(&call.func);
            let urgency = context.urgency(Caught::IMPORT);
            extras::of_call(call, &functions, |extra| findings.extras.push((extra, Some(urgency), lines.at(offset))));
            for function in functions {
                if let Some(installation) = installs::of_call(&function, &call.arguments) {
                    findings.installations.push((installation, urgency));
                }
                if let Some(module) = imported_by(&function, &call.arguments) {
                    dynamic.push((module, context, offset));
                } else if let Some(capability) = calls::needed(&function, &call.arguments) {
                    add(capability, function, context, offset);
                }
            }
        }
        for &(base, context) in &self.bases {
            for class in self.resolve(base) {
                if let Some(capability) = calls::needed_by_subclass(&class) {
                    add(capability, class, context, start(base));
                }
            }
        }
        if findings.uses.iter().any(|found| found.capability == Capability::Sockets) {
            for (context, offset) in connects {
                let urgency = context.urgency(Caught::NETWORK);
                let what = "connect".to_owned();
                findings.uses.push(Use { capability: Capability::Network, what, urgency, line: lines.at(offset) });
            }
        }
        for (module, context, offset) in dynamic {
            let level = module.bytes().take_while(|&byte| byte == b'.').count();
            findings.imports.push(Import {
                level: u32::try_from(level).unwrap_or(u32::MAX),
                module: module[level..].to_owned(),
                names: Vec::new(),
                urgency: context.urgency(Caught::IMPORT),
                line: lines.at(offset),
                mentioned: true,
                written: written(&module[level..]),
            });
        }
        findings
    }

    /// Full names that an expression such as `t.Thread` may stand for.
    fn resolve(&self, expression: &Expr) -> Vec<String> {
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

/// The top-level module or package that a file of this name is, or is in.
fn module_of_file(text: &str) -> Option<&str> {
    let path = text.strip_suffix(".py")?;
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.rsplit('/').next().filter(|name| !name.is_empty())
}

/// Where a name or an attribute starts.
fn start(expression: &Expr) -> usize {
    match expression {
        Expr::Name(name) => name.range.start().to_usize(),
        Expr::Attribute(attribute) => attribute.range.start().to_usize(),
        _ => 0,
    }
}

fn top_of(module: &str) -> &str {
    module.split('.').next().unwrap_or_default()
}

/// The module that a call imports, when it is one that does and the name is a literal.
fn imported_by(function: &str, arguments: &ast::Arguments) -> Option<String> {
    if !matches!(function, "builtins.__import__" | "importlib.import_module" | "importlib.__import__") {
        return None;
    }
    match arguments.find_argument_value("name", 0)? {
        Expr::StringLiteral(name) => Some(name.value.to_str().to_owned()).filter(|name| !name.is_empty()),
        _ => None,
    }
}

/// What `contextlib.suppress(…)` suppresses.
fn suppressed(expression: &Expr) -> Caught {
    let Expr::Call(call) = expression else { return Caught::default() };
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return Caught::default(),
    };
    let exceptions = if name == "suppress" { &*call.arguments.args } else { &[] };
    exceptions.iter().fold(Caught::default(), |all, one| all.and(Caught::by(Some(one))))
}

/// Whether a handler does not go on without what failed: it raises, exits, or installs it.
fn gives_up(body: &[Stmt]) -> bool {
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
