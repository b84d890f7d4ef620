//! What one source file imports and calls, from its syntax alone.

use super::{
    Capability, Urgency, calls,
    conditions::truth,
    extras::{self, Extra},
    installs::{self, Installation},
    python::Python,
    reach::{MODULE, Reached, ScopeId, Scopes, Way},
    repetition::Values,
    stdlib,
};
use ruff_python_ast::{
    self as ast, Expr, Stmt,
    visitor::{self, Visitor},
};
use std::collections::{HashMap, HashSet};

/// Holds what was found in a file.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) imports: Vec<Import>,
    pub(super) uses: Vec<Use>,
    /// What libraries take for how they are used; nothing says how urgent it is that they only get an address.
    pub(super) extras: Vec<(&'static Extra, Option<Urgency>, u32)>,
    /// Calls that install packages.
    pub(super) installations: Vec<(Installation, Urgency)>,
    /// Top-level modules that it puts into `sys.modules` itself.
    pub(super) made: Vec<String>,
    /// Distributions that it asks about.
    pub(super) distributions: Vec<(String, Urgency, u32)>,
    /// Code that it runs in another interpreter: with `-c`, or, as far as its texts are code, from a file.
    pub(super) children: Vec<(String, Urgency)>,
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
    /// Some text of the file is the first part of its name, or starts with that and a dot.
    pub(super) mentioned: bool,
    /// The file has the name of a file that this module would be in, or makes modules of names that are in its texts.
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
        scopes: Scopes::new(),
        values: Values::default(),
        scope: MODULE,
        namespace: MODULE,
        context: Context::default(),
        left: Left::default(),
        imports: Vec::new(),
        calls: Vec::new(),
        bases: Vec::new(),
        aliases: HashMap::new(),
        stars: Vec::new(),
        texts: Vec::new(),
        made: Vec::new(),
        makes_modules: false,
        starts: false,
        changes_path: false,
    };
    scanner.visit_body(&module.body);
    scanner.finish(source)
}

/// Says how a statement stands in its function.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    /// It runs only if something else happens: a condition holds, an exception is raised.
    possible: bool,
    /// It runs as often as a loop goes round, which is not known; as a rule it does.
    looped: bool,
    /// It never runs here, or only if something is missing that will be there.
    needless: bool,
    /// The code around puts something else in the place of an import that fails.
    substituted: bool,
    /// The same for a distribution that is asked about.
    substituted_distribution: bool,
    /// The code around handles exceptions, and goes on.
    guarded: bool,
}

/// Ways in which what stands further down may not be reached.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    /// The function or the program may have ended.
    returned: bool,
    /// An exception may have been raised.
    raised: bool,
    /// The present round of a loop may have ended.
    skipped: bool,
}

/// Says where in a file something was found.
#[derive(Debug, Clone, Copy)]
struct Position {
    scope: ScopeId,
    /// It runs whenever its scope does.
    certain: bool,
    looped: bool,
    needless: bool,
    substituted: bool,
    substituted_distribution: bool,
    guarded: bool,
}

impl Position {
    /// Returns how urgent an import is that stands there.
    fn of_import(self, reached: &Reached) -> Urgency {
        self.of_package(self.substituted, reached)
    }

    /// Returns how urgent a distribution is that is asked about there.
    fn of_distribution(self, reached: &Reached) -> Urgency {
        self.of_package(self.substituted_distribution, reached)
    }

    fn of_package(self, substituted: bool, reached: &Reached) -> Urgency {
        match substituted {
            true => Urgency::Optional,
            false if self.looped => self.of_use(reached).max(Urgency::Later),
            false => self.of_use(reached),
        }
    }

    /// Returns how urgent anything else is.
    fn of_use(self, reached: &Reached) -> Urgency {
        match reached.how(self.scope).filter(|_| self.certain) {
            _ if self.needless => Urgency::Optional,
            Some(Way::Open) if !self.guarded && !self.looped => Urgency::Required,
            Some(_) => Urgency::Guarded,
            None => Urgency::Later,
        }
    }
}

struct RawImport<'a> {
    level: u32,
    module: &'a str,
    names: Vec<&'a str>,
    position: Position,
    offset: usize,
}

struct Scanner<'a, 'x> {
    is_entry: bool,
    is_own: &'x dyn Fn(&str) -> bool,
    scopes: Scopes<'a>,
    values: Values<'a>,
    /// The function whose code is visited, or the module.
    scope: ScopeId,
    /// Where definitions go: the scope, or a class in it.
    namespace: ScopeId,
    context: Context,
    left: Left,
    imports: Vec<RawImport<'a>>,
    calls: Vec<(&'a ast::ExprCall, Position)>,
    /// Of classes; with the class.
    bases: Vec<(&'a Expr, ScopeId, Position)>,
    /// Names in the file, and what they were imported as.
    aliases: HashMap<&'a str, String>,
    stars: Vec<&'a str>,
    texts: Vec<&'a str>,
    /// Names of modules that are put into `sys.modules`, as far as they are literals.
    made: Vec<&'a str>,
    /// Others are, too.
    makes_modules: bool,
    /// Something has its `start` called or handed on.
    starts: bool,
    changes_path: bool,
}

impl<'a> Visitor<'a> for Scanner<'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            // A docstring is for people.
            Stmt::Expr(statement) if statement.value.is_string_literal_expr() => {}
            Stmt::Expr(statement) => {
                self.visit_expr(&statement.value);
                self.left.returned |= exits(&statement.value);
            }
            Stmt::Assign(assignment) => {
                visitor::walk_stmt(self, stmt);
                for target in &assignment.targets {
                    self.assign(target, &assignment.value);
                    if let Expr::Subscript(item) = target
                        && is_sys_modules(&item.value)
                    {
                        self.makes(&item.slice);
                    }
                }
            }
            Stmt::AnnAssign(assignment) => {
                visitor::walk_stmt(self, stmt);
                if let Some(value) = &assignment.value {
                    self.assign(&assignment.target, value);
                }
            }
            Stmt::If(choice) => self.choice(choice),
            Stmt::Try(attempt) => self.attempt(attempt),
            Stmt::With(with) => {
                for item in &with.items {
                    self.visit_with_item(item);
                    if let Some(target) = &item.optional_vars {
                        self.scopes.assign(self.scope, target, &item.context_expr);
                    }
                }
                let suppressed = with.items.iter().filter_map(|item| self.suppressed_by(&item.context_expr));
                let suppressed: Vec<_> = suppressed.collect();
                let raised = self.left.raised;
                self.within(
                    |context| {
                        context.substituted |= suppressed.contains(&Caught::ImportsAlone);
                        context.guarded |= !suppressed.is_empty();
                    },
                    |scanner| scanner.visit_body(&with.body),
                );
                if !suppressed.is_empty() {
                    self.left.raised = raised;
                }
            }
            Stmt::For(repeated) => {
                self.visit_expr(&repeated.iter);
                self.values.forget(&repeated.target);
                let runs = self.values.is_repeated(&repeated.iter);
                let position = self.position();
                if position.certain {
                    self.scopes.hands(self.scope, &repeated.iter, position.guarded || !runs);
                }
                self.repeated(runs, &repeated.body);
                self.visit_body(&repeated.orelse);
            }
            Stmt::While(repeated) => {
                self.visit_expr(&repeated.test);
                let truth = truth(&repeated.test, self.is_entry);
                self.within(
                    |context| context.needless |= truth == Some(false),
                    |scanner| scanner.repeated(truth == Some(true), &repeated.body),
                );
                self.visit_body(&repeated.orelse);
            }
            Stmt::Match(choice) => {
                self.visit_expr(&choice.subject);
                self.possibly(|scanner| choice.cases.iter().for_each(|case| scanner.visit_match_case(case)));
            }
            Stmt::Return(returned) => {
                visitor::walk_stmt(self, stmt);
                if let Some(value) = &returned.value {
                    self.scopes.returns(self.scope, value);
                }
                self.left.returned = true;
            }
            Stmt::Raise(_) => {
                visitor::walk_stmt(self, stmt);
                self.left.raised = true;
            }
            Stmt::Break(_) | Stmt::Continue(_) => self.left.skipped = true,
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Call(call) => {
                let position = self.position();
                self.calls.push((call, position));
                if position.certain {
                    self.scopes.calls(self.scope, call, position.guarded || position.looped);
                }
                visitor::walk_expr(self, expression);
            }
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_parameters(parameters);
                }
                self.possibly(|scanner| scanner.visit_expr(&lambda.body));
            }
            Expr::Attribute(attribute) => {
                let is_path = attribute.attr.as_str() == "path"
                    && attribute.value.as_name_expr().is_some_and(|name| name.id == "sys");
                self.changes_path |= is_path || attribute.attr.as_str() == "addsitedir";
                self.starts |= attribute.attr.as_str() == "start";
                visitor::walk_expr(self, expression);
            }
            Expr::BoolOp(several) => {
                let mut values = several.values.iter();
                values.by_ref().take(1).for_each(|first| self.visit_expr(first));
                self.possibly(|scanner| values.for_each(|value| scanner.visit_expr(value)));
            }
            Expr::If(choice) => {
                self.visit_expr(&choice.test);
                self.possibly(|scanner| {
                    scanner.visit_expr(&choice.body);
                    scanner.visit_expr(&choice.orelse);
                });
            }
            Expr::ListComp(made) => self.comprehension(&made.generators, &[&made.elt]),
            Expr::SetComp(made) => self.comprehension(&made.generators, &[&made.elt]),
            Expr::Generator(made) => self.comprehension(&made.generators, &[&made.elt]),
            Expr::DictComp(made) => {
                self.comprehension(&made.generators, &[&made.key, &made.value]);
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

    /// Skips annotations, which are not run, as a rule, and hold no calls.
    fn visit_annotation(&mut self, _: &'a Expr) {}
}

impl<'a> Scanner<'a, '_> {
    fn position(&self) -> Position {
        let Context { possible, looped, needless, substituted, substituted_distribution, guarded } = self.context;
        let Left { returned, raised, skipped } = self.left;
        let certain = !(possible || returned || raised || skipped);
        Position { scope: self.scope, certain, looped, needless, substituted, substituted_distribution, guarded }
    }

    /// Runs `visit` in a changed context.
    fn within(&mut self, change: impl FnOnce(&mut Context), visit: impl FnOnce(&mut Self)) {
        let before = self.context;
        change(&mut self.context);
        visit(self);
        self.context = before;
    }

    /// Runs `visit` for code that may never run.
    fn possibly(&mut self, visit: impl FnOnce(&mut Self)) {
        self.within(|context| context.possible = true, visit);
    }

    fn function(&mut self, function: &'a ast::StmtFunctionDef) {
        for decorator in &function.decorator_list {
            self.visit_decorator(decorator);
        }
        self.visit_parameters(&function.parameters);
        let inner = self.scopes.add_function(self.namespace, function);
        // Handlers around a definition do not see what its calls raise.
        let context = Context { needless: self.context.needless, ..Context::default() };
        let before = (self.scope, self.namespace, self.context, self.left);
        (self.scope, self.namespace, self.context, self.left) = (inner, inner, context, Left::default());
        self.visit_body(&function.body);
        (self.scope, self.namespace, self.context, self.left) = before;
    }

    fn class(&mut self, class: &'a ast::StmtClassDef) {
        let inner = self.scopes.add_class(self.namespace, class);
        let bases = class.arguments.iter().flat_map(|arguments| &arguments.args);
        let position = self.position();
        self.bases.extend(bases.map(|base| (base, inner, position)));
        for decorator in &class.decorator_list {
            self.visit_decorator(decorator);
        }
        if let Some(arguments) = &class.arguments {
            self.visit_arguments(arguments);
        }
        let before = std::mem::replace(&mut self.namespace, inner);
        self.visit_body(&class.body);
        self.namespace = before;
    }

    fn assign(&mut self, target: &'a Expr, value: &'a Expr) {
        self.values.assign(target, value);
        self.scopes.assign(self.scope, target, value);
    }

    /// Notes that the module with this name is put into `sys.modules`.
    fn makes(&mut self, name: &'a Expr) {
        match name {
            Expr::StringLiteral(name) => self.made.push(name.value.to_str()),
            _ => self.makes_modules = true,
        }
    }

    fn repeated(&mut self, runs: bool, body: &'a [Stmt]) {
        let skipped = self.left.skipped;
        self.within(|context| context.looped |= !runs, |scanner| scanner.visit_body(body));
        self.left.skipped = skipped;
    }

    fn comprehension(&mut self, generators: &'a [ast::Comprehension], parts: &[&'a Expr]) {
        let mut runs = true;
        for generator in generators {
            let visit = |scanner: &mut Self| scanner.visit_expr(&generator.iter);
            self.within(|context| context.looped |= !runs, visit);
            runs &= self.values.is_repeated(&generator.iter) && generator.ifs.is_empty();
            self.possibly(|scanner| generator.ifs.iter().for_each(|condition| scanner.visit_expr(condition)));
        }
        self.within(
            |context| context.looped |= !runs,
            |scanner| parts.iter().for_each(|part| scanner.visit_expr(part)),
        );
    }

    fn import(&mut self, import: &'a ast::StmtImport) {
        let position = self.position();
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
                position,
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
        self.imports.push(RawImport {
            level: import.level,
            module,
            names,
            position: self.position(),
            offset: import.range.start().to_usize(),
        });
    }

    fn choice(&mut self, choice: &'a ast::StmtIf) {
        let mut decided = false;
        let mut certain = true;
        let first = (Some(&*choice.test), &choice.body);
        let others = choice.elif_else_clauses.iter().map(|clause| (clause.test.as_ref(), &clause.body));
        for (test, body) in std::iter::once(first).chain(others) {
            let value = test.map_or(Some(true), |test| truth(test, self.is_entry));
            if let Some(test) = test {
                self.within(|context| context.possible |= !certain, |scanner| scanner.visit_expr(test));
            }
            let needless = decided || value == Some(false);
            certain &= value.is_some();
            let before = self.left;
            self.within(
                |context| {
                    context.needless |= needless;
                    context.possible |= !certain;
                },
                |scanner| scanner.visit_body(body),
            );
            if needless {
                self.left = before;
            }
            decided |= value == Some(true);
        }
    }

    fn attempt(&mut self, attempt: &'a ast::StmtTry) {
        let handlers = || attempt.handlers.iter().map(|ast::ExceptHandler::ExceptHandler(handler)| handler);
        let of_imports = handlers().find(|handler| Caught::by(handler.type_.as_deref()) != Caught::Others);
        let substituted = of_imports.map(|handler| {
            let error = handler.name.as_ref().map(|name| name.as_str());
            Caught::by(handler.type_.as_deref()) == Caught::ImportsAlone && puts_in_place(&handler.body, error)
        });
        let of_distributions = handlers().find(|handler| catches_distributions(handler.type_.as_deref()));
        let substituted_distribution = of_distributions.map(|handler| {
            let error = handler.name.as_ref().map(|name| name.as_str());
            puts_in_place(&handler.body, error)
        });
        let before = self.left;
        let imports_before = self.imports.len();
        let guards = handlers().any(|handler| !gives_up(&handler.body));
        self.within(
            |context| {
                context.substituted = substituted.unwrap_or(context.substituted);
                context.substituted_distribution = substituted_distribution.unwrap_or(context.substituted_distribution);
                context.guarded |= guards;
            },
            |scanner| scanner.visit_body(&attempt.body),
        );
        if !attempt.handlers.is_empty() {
            self.left.raised = before.raised;
        }

        let imports = self.imports.get(imports_before..).unwrap_or_default();
        let imports_something = !imports.is_empty();
        let all_present = imports.iter().all(|import| import.level > 0 || self.is_present(top_of(import.module)));
        for handler in handlers() {
            if let Some(exception) = handler.type_.as_deref() {
                self.visit_expr(exception);
            }
            // What stands in for an import matters where that is missing, and not where it is made sure of.
            let stands_in = imports_something && Caught::by(handler.type_.as_deref()) != Caught::Others;
            let needless = stands_in && (all_present || substituted != Some(true));
            let change = |context: &mut Context| {
                context.needless |= needless;
                context.possible |= !stands_in;
            };
            // Exceptions are the exception: what follows is reached.
            let before = self.left;
            self.within(change, |scanner| scanner.visit_body(&handler.body));
            self.left = before;
        }
        self.visit_body(&attempt.orelse);
        self.visit_body(&attempt.finalbody);
    }

    /// Returns which exceptions a context manager keeps to itself, if it is `contextlib.suppress`.
    fn suppressed_by(&self, manager: &Expr) -> Option<Caught> {
        let call = self.values.meant(manager).as_call_expr()?;
        let is_suppress = self.resolve(self.values.meant(&call.func)).iter().any(|name| name == "contextlib.suppress");
        is_suppress.then(|| Caught::by_any(&call.arguments.args))
    }

    fn is_present(&self, module: &str) -> bool {
        (self.is_own)(module) || stdlib::lifetime(module).is_some_and(|lifetime| lifetime.newest >= Python::WASM)
    }

    fn finish(mut self, source: &str) -> Findings {
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

fn top_of(module: &str) -> &str {
    module.split('.').next().unwrap_or_default()
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

/// Says what an exception handler is for, as far as imports go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caught {
    /// Imports that fail, and nothing else.
    ImportsAlone,
    /// Imports that fail among others.
    ImportsToo,
    Others,
}

impl Caught {
    fn by_any(exceptions: &[Expr]) -> Caught {
        let each = || exceptions.iter().map(|one| Caught::by(Some(one)));
        match (each().any(|one| one != Caught::Others), each().all(|one| one == Caught::ImportsAlone)) {
            (true, true) => Caught::ImportsAlone,
            (true, false) => Caught::ImportsToo,
            (false, _) => Caught::Others,
        }
    }

    fn by(exception: Option<&Expr>) -> Caught {
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
fn catches_distributions(exception: Option<&Expr>) -> bool {
    let name = match exception {
        Some(Expr::Tuple(several)) => return several.elts.iter().any(|one| catches_distributions(Some(one))),
        Some(Expr::Name(name)) => name.id.as_str(),
        Some(Expr::Attribute(attribute)) => attribute.attr.as_str(),
        Some(_) => return false,
        None => return true,
    };
    matches!(name, "PackageNotFoundError" | "DistributionNotFound") || Caught::by(exception) != Caught::Others
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

/// Returns whether a handler binds a name to something else than what failed. To keep the `error` is to note it.
fn puts_in_place(body: &[Stmt], error: Option<&str>) -> bool {
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
fn is_sys_modules(expression: &Expr) -> bool {
    let Expr::Attribute(attribute) = expression else { return false };
    attribute.attr.as_str() == "modules" && attribute.value.as_name_expr().is_some_and(|name| name.id == "sys")
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

/// Returns whether a statement of this expression ends the program.
fn exits(expression: &Expr) -> bool {
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
