//! Follows the calls between a file's functions, from its first line, to tell which of them run for certain.
//!
//! Calls are resolved by name: functions and classes of the file, methods of `self` and of objects whose class is
//! written where they are made. What cannot be resolved is not certain, which costs no more than a second attempt.

use ruff_python_ast::{self as ast, Expr};
use std::collections::HashMap;

/// A function, a class or the module itself, by number.
pub(super) type ScopeId = usize;

/// The module.
pub(super) const MODULE: ScopeId = 0;

/// Scopes, classes and bases of one that a look-up goes through.
const STEPS_MAX: usize = 32;

/// Elements of one collection that are looked at.
const ELEMENTS_MAX: usize = 200;

/// Arguments of one call that are looked at.
const PARAMETERS_MAX: usize = 32;

/// Functions that call what they are handed, from a thread or at once.
const CALLERS: &[&str] =
    &["submit", "map", "starmap", "imap", "imap_unordered", "apply", "apply_async", "map_async", "to_thread"];

/// The scopes of a file, with what they define and call.
pub(super) struct Scopes<'a> {
    all: Vec<Scope<'a>>,
}

struct Scope<'a> {
    parent: ScopeId,
    kind: Kind<'a>,
    /// Functions and classes by name; nothing for a name that is defined more than once.
    members: HashMap<&'a str, Option<ScopeId>>,
    /// What names, or attributes of `self`, stand for, and where that was written; nothing for a name that is assigned more
    /// than once.
    objects: HashMap<&'a str, Option<(ScopeId, &'a Expr)>>,
    /// Parameters by position, and the classes of what they are handed wherever that is known.
    parameters: Vec<&'a str>,
    handed_in: HashMap<&'a str, ScopeId>,
    /// What a function returns; nothing when there is more than one answer.
    returned: Option<Option<&'a Expr>>,
    /// Lists, tuples and dictionaries that names stand for; nothing for a name that is assigned more than once.
    collections: HashMap<&'a str, Option<&'a Expr>>,
    /// Calls that happen whenever the scope runs, and how.
    calls: Vec<(&'a ast::ExprCall, Way)>,
    /// What is taken up one by one whenever the scope runs, and how.
    handed: Vec<(&'a Expr, Way)>,
}

enum Kind<'a> {
    Module,
    /// With the name of its first parameter.
    Function(Option<&'a str>),
    /// With its bases.
    Class(&'a [Expr]),
}

/// Says how the program reaches code that runs for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// An exception there ends the program.
    Open,
    /// Every way to it leads through code that handles exceptions.
    Guarded,
}

/// Holds what runs for certain.
pub(super) struct Reached(HashMap<ScopeId, Way>);

impl Reached {
    /// Returns how the code of a scope is reached, or that makes objects of a class, if it is for certain.
    pub(super) fn how(&self, scope: ScopeId) -> Option<Way> {
        self.0.get(&scope).copied()
    }

    /// Notes a way to a scope; returns whether it is a better one than was known.
    fn add(&mut self, scope: ScopeId, way: Way) -> bool {
        match self.0.get(&scope) {
            Some(&known) if known <= way => false,
            _ => {
                self.0.insert(scope, way);
                true
            }
        }
    }
}

impl<'a> Scopes<'a> {
    pub(super) fn new() -> Scopes<'a> {
        Scopes { all: vec![Scope::new(MODULE, Kind::Module)] }
    }

    /// Adds a function that is defined in `parent`, which may be a class.
    pub(super) fn add_function(&mut self, parent: ScopeId, function: &'a ast::StmtFunctionDef) -> ScopeId {
        let parameters = &function.parameters;
        let first = parameters.posonlyargs.iter().chain(&parameters.args).next();
        let receiver = first.map(|first| first.parameter.name.as_str());
        let id = self.add(parent, function.name.as_str(), Kind::Function(receiver));
        // What a parameter stands for is not known, whatever else has its name.
        let names = parameters.iter().map(|parameter| (parameter.name().as_str(), None));
        if let Some(scope) = self.all.get_mut(id) {
            scope.members.extend(names);
            scope.parameters = parameters.iter().map(|parameter| parameter.name().as_str()).collect();
        }
        id
    }

    /// Adds a class that is defined in `parent`.
    pub(super) fn add_class(&mut self, parent: ScopeId, class: &'a ast::StmtClassDef) -> ScopeId {
        let bases = class.arguments.as_ref().map_or(&[][..], |arguments| &arguments.args);
        self.add(parent, class.name.as_str(), Kind::Class(bases))
    }

    fn add(&mut self, parent: ScopeId, name: &'a str, kind: Kind<'a>) -> ScopeId {
        let id = self.all.len();
        self.all.push(Scope::new(parent, kind));
        if let Some(parent) = self.all.get_mut(parent) {
            parent.members.entry(name).and_modify(|member| *member = None).or_insert(Some(id));
        }
        id
    }

    /// Notes what a name is assigned in `scope`.
    pub(super) fn assign(&mut self, scope: ScopeId, target: &'a Expr, value: &'a Expr) {
        let (owner, name) = match target {
            Expr::Name(name) => (scope, name.id.as_str()),
            Expr::Attribute(attribute) => match self.receiver_class(scope, &attribute.value) {
                Some(class) => (class, attribute.attr.as_str()),
                None => return,
            },
            _ => return,
        };
        if let Some(owner) = self.all.get_mut(owner) {
            let collection = matches!(value, Expr::List(_) | Expr::Tuple(_) | Expr::Dict(_)).then_some(value);
            owner.collections.entry(name).and_modify(|known| *known = None).or_insert(collection);
            owner.objects.entry(name).and_modify(|object| *object = None).or_insert(Some((scope, value)));
        }
    }

    /// Notes what `scope` returns.
    pub(super) fn returns(&mut self, scope: ScopeId, value: &'a Expr) {
        if let Some(scope) = self.all.get_mut(scope) {
            scope.returned = Some(if scope.returned.is_none() { Some(value) } else { None });
        }
    }

    /// Notes a call that happens whenever `scope` runs.
    pub(super) fn calls(&mut self, scope: ScopeId, call: &'a ast::ExprCall, guarded: bool) {
        if let Some(scope) = self.all.get_mut(scope) {
            scope.calls.push((call, if guarded { Way::Guarded } else { Way::Open }));
        }
    }

    /// Notes what a loop goes through whenever `scope` runs: functions in there are called, as a rule.
    pub(super) fn hands(&mut self, scope: ScopeId, iterated: &'a Expr, guarded: bool) {
        if let Some(scope) = self.all.get_mut(scope) {
            scope.handed.push((iterated, if guarded { Way::Guarded } else { Way::Open }));
        }
    }

    /// Follows the calls from the module on.
    pub(super) fn reached(&mut self) -> Reached {
        let mut reached = Reached(HashMap::from([(MODULE, Way::Open)]));
        let mut pending = vec![MODULE];
        while let Some(id) = pending.pop() {
            let way = reached.how(id).unwrap_or(Way::Guarded);
            for &(iterated, guarded) in self.all.get(id).into_iter().flat_map(|scope| &scope.handed) {
                for target in self.functions_among(id, iterated) {
                    if reached.add(target, way.max(guarded)) {
                        pending.push(target);
                    }
                }
            }
            let calls = self.all.get(id).map(|scope| scope.calls.clone()).unwrap_or_default();
            for (call, guarded) in calls {
                for target in self.targets(id, call) {
                    let is_told_more = self.hand_in(id, call, target);
                    if reached.add(target, way.max(guarded)) || is_told_more {
                        pending.push(target);
                    }
                }
            }
        }
        reached
    }

    /// Notes the classes of what a call hands to a function; returns whether any was not known.
    fn hand_in(&mut self, scope: ScopeId, call: &'a ast::ExprCall, target: ScopeId) -> bool {
        let Some(Scope { kind: Kind::Function(_), parent, parameters, .. }) = self.all.get(target) else {
            return false;
        };
        let is_method = matches!(self.all.get(*parent).map(|scope| &scope.kind), Some(Kind::Class(_)));
        let by_place = call.arguments.args.iter().zip(parameters.iter().skip(is_method.into()).copied());
        let by_name = call.arguments.keywords.iter().filter_map(|keyword| {
            let name = keyword.arg.as_ref()?.as_str();
            Some((&keyword.value, *parameters.iter().find(|parameter| **parameter == name)?))
        });
        let handed = by_place.chain(by_name).take(PARAMETERS_MAX);
        let found = handed.filter_map(|(value, name)| Some((name, self.class_of(scope, value)?)));
        let found: Vec<_> = found.collect();
        let Some(target) = self.all.get_mut(target) else { return false };
        let mut is_new = false;
        for (name, class) in found {
            // Of several the first counts, so that this comes to an end.
            is_new |= target.note_handed_in(name, class);
        }
        is_new
    }

    /// Functions of the file that a call runs, and the class of which it makes an object.
    fn targets(&self, scope: ScopeId, call: &'a ast::ExprCall) -> Vec<ScopeId> {
        let mut targets = Vec::new();
        let called = match &*call.func {
            Expr::Name(name) => self
                .lookup(scope, name.id.as_str())
                .or_else(|| self.method(self.class_of(scope, &call.func)?, "__call__")),
            Expr::Attribute(attribute) => {
                let class =
                    self.named_class(scope, &attribute.value).or_else(|| self.class_of(scope, &attribute.value));
                class.and_then(|class| self.method(class, attribute.attr.as_str()))
            }
            _ => None,
        };
        match called.and_then(|id| Some((id, &self.all.get(id)?.kind))) {
            Some((class, Kind::Class(_))) => {
                // It is one of its bases, too.
                targets.extend(std::iter::successors(Some(class), |&class| self.base(class)).take(STEPS_MAX));
                let special = ["__new__", "__init__", "__post_init__", "__enter__", "__aenter__"];
                targets.extend(special.iter().filter_map(|name| self.method(class, name)));
            }
            Some((function, Kind::Function(_))) => targets.push(function),
            Some((_, Kind::Module)) | None => {}
        }
        // A function of the file that is handed another one calls it, as a rule.
        let is_own = matches!(called.and_then(|id| self.all.get(id)).map(|scope| &scope.kind), Some(Kind::Function(_)));
        let handed_on = is_own
            || match &*call.func {
                Expr::Name(name) => CALLERS.contains(&name.id.as_str()),
                Expr::Attribute(attribute) => {
                    CALLERS.contains(&attribute.attr.as_str()) || attribute.attr.as_str() == "run_in_executor"
                }
                _ => false,
            };
        let handed = call.arguments.args.iter().filter(|_| handed_on).take(2);
        let target = call.arguments.keywords.iter().filter(|keyword| {
            keyword.arg.as_ref().is_some_and(|name| matches!(name.as_str(), "target" | "func" | "function"))
        });
        let functions = handed.chain(target.map(|keyword| &keyword.value));
        targets.extend(functions.filter_map(|function| self.function(scope, function)));
        targets
    }

    /// Returns the function or method that an expression names.
    fn function(&self, scope: ScopeId, expression: &Expr) -> Option<ScopeId> {
        let found = match expression {
            Expr::Name(name) => self.lookup(scope, name.id.as_str()),
            Expr::Attribute(attribute) => {
                self.class_of(scope, &attribute.value).and_then(|class| self.method(class, attribute.attr.as_str()))
            }
            _ => None,
        };
        found.filter(|&id| matches!(self.all.get(id).map(|scope| &scope.kind), Some(Kind::Function(_))))
    }

    /// Returns the functions in a collection, and in those in it.
    fn functions_among(&self, scope: ScopeId, iterated: &'a Expr) -> Vec<ScopeId> {
        let mut found = Vec::new();
        let mut pending = vec![iterated];
        let mut left = ELEMENTS_MAX;
        while let Some(expression) = pending.pop() {
            if left == 0 {
                break;
            }
            left -= 1;
            match expression {
                Expr::List(list) => pending.extend(&list.elts),
                Expr::Tuple(tuple) => pending.extend(&tuple.elts),
                Expr::Dict(dictionary) => pending.extend(dictionary.items.iter().map(|item| &item.value)),
                // `enumerate(tasks)`, `tasks.items()`
                Expr::Call(call) => match &*call.func {
                    Expr::Attribute(method) if matches!(method.attr.as_str(), "items" | "values") => {
                        pending.push(&method.value);
                    }
                    Expr::Name(_) => pending.extend(call.arguments.args.first()),
                    _ => {}
                },
                Expr::Name(name) => match self.function(scope, expression) {
                    Some(function) => found.push(function),
                    None => {
                        let collection =
                            self.visible(scope).find_map(|(_, scope)| scope.collections.get(name.id.as_str()).copied());
                        pending.extend(collection.flatten());
                    }
                },
                Expr::Attribute(_) => found.extend(self.function(scope, expression)),
                _ => {}
            }
        }
        found
    }

    /// Returns the function or class of that name, as code in `scope` sees it.
    fn lookup(&self, scope: ScopeId, name: &str) -> Option<ScopeId> {
        self.visible(scope).find_map(|(_, scope)| scope.members.get(name).copied())?
    }

    /// Returns the scope and those around it whose names it sees.
    fn visible(&self, scope: ScopeId) -> impl Iterator<Item = (ScopeId, &Scope<'a>)> {
        let step = |&id: &ScopeId| (id != MODULE).then(|| self.all.get(id).map_or(MODULE, |scope| scope.parent));
        std::iter::successors(Some(scope), step)
            .take(STEPS_MAX)
            .chain([MODULE])
            .filter_map(|id| Some((id, self.all.get(id)?)))
            .filter(|(_, scope)| !matches!(scope.kind, Kind::Class(_)))
    }

    /// Returns the class that an expression names.
    fn named_class(&self, scope: ScopeId, expression: &Expr) -> Option<ScopeId> {
        let found = self.lookup(scope, expression.as_name_expr()?.id.as_str())?;
        matches!(self.all.get(found)?.kind, Kind::Class(_)).then_some(found)
    }

    /// Returns the class that the first parameter of a method stands for.
    fn receiver_class(&self, scope: ScopeId, expression: &Expr) -> Option<ScopeId> {
        let name = expression.as_name_expr()?.id.as_str();
        let method =
            self.visible(scope).find(|(_, scope)| matches!(&scope.kind, Kind::Function(Some(first)) if *first == name));
        let class = method?.1.parent;
        matches!(self.all.get(class)?.kind, Kind::Class(_)).then_some(class)
    }

    /// Returns the class of the object that an expression stands for.
    fn class_of(&self, scope: ScopeId, expression: &Expr) -> Option<ScopeId> {
        self.class_within(scope, expression, STEPS_MAX)
    }

    /// Does the same in so many steps: names stand for names.
    fn class_within(&self, scope: ScopeId, expression: &Expr, steps: usize) -> Option<ScopeId> {
        let steps = steps.checked_sub(1)?;
        let object = |(written, value): (ScopeId, &Expr)| self.class_within(written, value, steps);
        match expression {
            Expr::Name(name) => self.receiver_class(scope, expression).or_else(|| {
                let name = name.id.as_str();
                let known = |scope: &Scope<'a>| {
                    let handed_in = scope.handed_in.get(name).map(|&class| Some(class));
                    scope.objects.get(name).map(|found| found.and_then(object)).or(handed_in)
                };
                self.visible(scope).find_map(|(_, scope)| known(scope))?
            }),
            Expr::Attribute(attribute) => {
                let class = self.class_within(scope, &attribute.value, steps)?;
                let owner = std::iter::successors(Some(class), |&class| self.base(class)).take(STEPS_MAX);
                owner
                    .filter_map(|class| self.all.get(class)?.objects.get(attribute.attr.as_str()).copied())
                    .next()?
                    .and_then(object)
            }
            Expr::Call(call) => match call.func.as_name_expr() {
                Some(name) if name.id == "super" => {
                    let method = self.visible(scope).find(|(_, scope)| matches!(scope.kind, Kind::Function(_)))?;
                    self.base(method.1.parent)
                }
                _ => self.named_class(scope, &call.func).or_else(|| {
                    let function = self.function(scope, &call.func)?;
                    self.class_within(function, self.all.get(function)?.returned??, steps)
                }),
            },
            Expr::Await(awaited) => self.class_within(scope, &awaited.value, steps),
            _ => None,
        }
    }

    /// Returns the first base of a class that is a class of the file.
    fn base(&self, class: ScopeId) -> Option<ScopeId> {
        let scope = self.all.get(class)?;
        let Kind::Class(bases) = scope.kind else { return None };
        bases.iter().take(STEPS_MAX).find_map(|base| self.named_class(scope.parent, base))
    }

    /// Returns the method of a class, or of the classes that it inherits from.
    fn method(&self, class: ScopeId, name: &str) -> Option<ScopeId> {
        std::iter::successors(Some(class), |&class| self.base(class))
            .take(STEPS_MAX)
            .find_map(|class| self.all.get(class)?.members.get(name).copied())?
    }
}

impl<'a> Scope<'a> {
    fn note_handed_in(&mut self, name: &'a str, class: ScopeId) -> bool {
        let is_new = !self.handed_in.contains_key(name);
        self.handed_in.entry(name).or_insert(class);
        is_new
    }
}

impl Scope<'_> {
    fn new(parent: ScopeId, kind: Kind<'_>) -> Scope<'_> {
        Scope {
            parent,
            kind,
            members: HashMap::new(),
            objects: HashMap::new(),
            parameters: Vec::new(),
            handed_in: HashMap::new(),
            returned: None,
            collections: HashMap::new(),
            calls: Vec::new(),
            handed: Vec::new(),
        }
    }
}
