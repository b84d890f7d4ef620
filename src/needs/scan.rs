//! What one source file imports and calls, from its syntax alone.

mod findings;
mod handlers;
mod position;

use super::{
    Capability, Urgency,
    conditions::truth,
    extras::Extra,
    installs::Installation,
    reach::{MODULE, ScopeId, Scopes},
    repetition::Values,
    stdlib,
};
use crate::python::Python;
use handlers::{Caught, catches_distributions, exits, gives_up, is_sys_modules, puts_in_place};
use position::{Context, Left, Position};
use ruff_python_ast::{
    self as ast, Expr, Stmt,
    visitor::{self, Visitor},
};
use std::collections::HashMap;

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
}

fn top_of(module: &str) -> &str {
    module.split('.').next().unwrap_or_default()
}
