//! Counts what the guest does, and gives the host a say every so often, by rewriting the module before it is compiled.
//!
//! wasmtime can meter too, but counts at every branch and call, which made Python 1.5 times slower. Here the start of
//! every loop takes a constant from one global and calls the host when that runs out. Nothing can run for long without
//! passing the start of a loop: recursion alone is bounded by the stack, and instructions that copy or fill memory,
//! which nothing interrupts, become calls of a function that does it in steps, each paid for; calls of the host's
//! mathematics cost something too. The interpreter's own dispatch loop, passed for every bytecode, would still be dear;
//! the guest marks with empty loops where Python code loops and calls (`wasm-python/patches/metering.patch`), and a
//! function with such marks is metered there instead of in its largest loops. The count is a property of the program
//! and its input, the same on every machine.

use super::libm;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, Encode, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, Instruction, InstructionSink, Module, RawSection, SectionId, ValType,
};
use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};
use wasmtime::{Result, bail};

/// Name under which the module exports what is left.
pub(crate) const FUEL: &str = "pyexec_fuel";

/// What the global starts with: the work between two calls of the host, some 0.3 ms.
pub(crate) const SLICE: i64 = 500_000;

/// The import that is called when the global is below zero.
const TICK: (&str, &str) = ("pyexec", "tick");

/// A loop takes as much as it has instructions, up to this: of a very long one a pass executes only a part.
const COST_MAX: u64 = 64;

/// An empty loop is a mark: what Python executes between two of them, about.
const MARK_COST: u64 = 200;

/// In a function with marks, loops longer than this are the dispatch of what the marks meter.
const DISPATCH_MIN: u64 = 2000;

/// A call of the host's mathematics, about.
const LIBM_COST: i64 = 64;

/// Copied or filled at once.
const STEP_BYTES: u32 = 1 << 20;

/// A fuel for so many bytes copied or filled, as a power of two.
const BYTES_PER_FUEL_LOG2: i64 = 3;

/// Holds what the added code refers to.
#[derive(Clone, Copy)]
struct Added {
    /// The global with what is left.
    fuel: u32,
    /// The import to call when that is below zero.
    tick: u32,
    copy: u32,
    fill: u32,
}

/// Adds metering to a module.
pub(crate) fn instrument(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let mut code = CodeSection::new();
    let mut bodies = 0;
    let (mut types, mut functions, mut tick, mut global) = (0, 0, None, None);
    let mut mathematics = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::TypeSection(groups) => {
                for group in groups.clone() {
                    types += u32::try_from(group?.types().len())?;
                }
                let mut section = Vec::new();
                (groups.count() + 1).encode(&mut section);
                let first = groups.clone().into_iter_with_offsets().next().transpose()?;
                section.extend_from_slice(&wasm[first.map_or(groups.range().end, |(at, _)| at)..groups.range().end]);
                section.extend_from_slice(BULK_TYPE);
                module.section(&RawSection { id: SectionId::Type.into(), data: &section });
                continue;
            }
            Payload::FunctionSection(declared) => {
                let mut section = FunctionSection::new();
                for kind in declared.clone() {
                    section.function(kind?);
                }
                section.function(types).function(types);
                functions += declared.count();
                module.section(&section);
                continue;
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    let import = import?;
                    if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                        if (import.module, import.name) == TICK {
                            tick = Some(functions);
                        } else if import.module == libm::MODULE {
                            mathematics.push(functions);
                        }
                        functions += 1;
                    }
                }
            }
            Payload::GlobalSection(globals) => {
                let mut section = GlobalSection::new();
                copy_items(wasm, globals.clone().into_iter_with_offsets(), globals.range().end, |item| {
                    section.raw(item);
                })?;
                let kind = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
                section.global(kind, &ConstExpr::i64_const(SLICE));
                global = Some(globals.count());
                module.section(&section);
                continue;
            }
            Payload::ExportSection(exports) => {
                let mut section = ExportSection::new();
                for export in exports.clone() {
                    let export = export?;
                    let kind = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
                        ExternalKind::Table => ExportKind::Table,
                        ExternalKind::Memory => ExportKind::Memory,
                        ExternalKind::Global => ExportKind::Global,
                        ExternalKind::Tag => ExportKind::Tag,
                    };
                    section.export(export.name, kind, export.index);
                }
                let Some(global) = global else { bail!("the module has no globals") };
                section.export(FUEL, ExportKind::Global, global);
                module.section(&section);
                continue;
            }
            Payload::CodeSectionStart { count, .. } => {
                bodies = *count;
                continue;
            }
            Payload::CodeSectionEntry(body) => {
                let (Some(tick), Some(fuel)) = (tick, global) else { bail!("the module does not import tick") };
                let added = Added { fuel, tick, copy: functions, fill: functions + 1 };
                code.raw(&function(wasm, body, added, &mathematics)?);
                bodies -= 1;
                if bodies == 0 {
                    code.function(&copy(added)).function(&fill(added));
                    module.section(&code);
                }
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            module.section(&RawSection { id, data: &wasm[range] });
        }
    }
    Ok(module.finish())
}

/// Passes on the bytes of each item of a section as they are.
fn copy_items<T>(
    wasm: &[u8],
    items: impl Iterator<Item = wasmparser::Result<(usize, T)>>,
    end: usize,
    mut each: impl FnMut(&[u8]),
) -> Result<()> {
    let mut starts = items.map(|item| item.map(|(at, _)| at)).collect::<wasmparser::Result<Vec<_>>>()?;
    starts.push(end);
    starts.windows(2).for_each(|pair| each(&wasm[pair[0]..pair[1]]));
    Ok(())
}

/// Adds metering to a body, whose bytes are unchanged otherwise.
fn function(wasm: &[u8], body: &wasmparser::FunctionBody<'_>, added: Added, mathematics: &[u32]) -> Result<Vec<u8>> {
    let loops = loops(body)?;
    let marked = loops.contains(&MARK);
    let mut loops = loops.into_iter();
    let range = body.range();
    let (mut bytes, mut copied) = (Vec::with_capacity(range.len() * 5 / 4), range.start);
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let at = operators.original_position();
        let operator = operators.read()?;
        let end = operators.original_position();
        let insert = match operator {
            Operator::Loop { .. } => {
                bytes.extend_from_slice(&wasm[copied..end]);
                copied = end;
                match loops.next() {
                    Some(MARK) => check(added, |code| _ = code.i64_const(MARK_COST.cast_signed())),
                    Some(length) if marked && length > DISPATCH_MIN => Vec::new(),
                    length => {
                        let cost = length.unwrap_or(COST_MAX).min(COST_MAX).cast_signed();
                        check(added, |code| _ = code.i64_const(cost))
                    }
                }
            }
            Operator::Call { function_index } if mathematics.contains(&function_index) => {
                bytes.extend_from_slice(&wasm[copied..at]);
                copied = at;
                check(added, |code| _ = code.i64_const(LIBM_COST))
            }
            Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } => {
                bytes.extend_from_slice(&wasm[copied..at]);
                copied = end;
                let function = if matches!(operator, Operator::MemoryFill { .. }) { added.fill } else { added.copy };
                let mut call = Vec::new();
                Instruction::Call(function).encode(&mut call);
                call
            }
            _ => continue,
        };
        bytes.extend_from_slice(&insert);
    }
    bytes.extend_from_slice(&wasm[copied..range.end]);
    Ok(bytes)
}

/// Length of a loop that has nothing but its end.
const MARK: u64 = 1;

/// Counts the instructions of each loop, in the order of their starts, without loops inside it.
fn loops(body: &wasmparser::FunctionBody<'_>) -> Result<Vec<u64>> {
    let mut lengths = Vec::new();
    // Open blocks: the index of the loop that each belongs to.
    let mut open: Vec<Option<usize>> = vec![None];
    for operator in body.get_operators_reader()? {
        if let Some(Some(innermost)) = open.last() {
            let length: &mut u64 = &mut lengths[*innermost];
            *length += 1;
        }
        match operator? {
            Operator::Loop { .. } => {
                open.push(Some(lengths.len()));
                lengths.push(0);
            }
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                open.push(open.last().copied().flatten());
            }
            Operator::End => drop(open.pop()),
            _ => {}
        }
    }
    Ok(lengths)
}

/// Takes what `cost` pushes, and calls the host when nothing is left.
fn check(added: Added, cost: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut code = InstructionSink::new(&mut bytes);
    code.global_get(added.fuel);
    cost(&mut code);
    code.i64_sub().global_set(added.fuel);
    code.global_get(added.fuel).i64_const(0).i64_lt_s();
    code.if_(BlockType::Empty).call(added.tick).end();
    bytes
}

/// What the two functions take: address, address or byte, number of bytes.
const BULK_TYPE: &[u8] = &[0x60, 3, 0x7f, 0x7f, 0x7f, 0];

/// Pays for the next step, whose length it leaves in local 3. Local 2 is how much is left.
fn next_step(function: &mut Function, added: Added) {
    let mut code = function.instructions();
    code.local_get(2).i32_const(STEP_BYTES.cast_signed());
    code.local_get(2).i32_const(STEP_BYTES.cast_signed()).i32_lt_u().select().local_set(3);
    function.raw(check(added, |code| {
        code.local_get(3).i64_extend_i32_u().i64_const(BYTES_PER_FUEL_LOG2).i64_shr_u();
    }));
}

/// Makes a `memory.fill` in steps.
fn fill(added: Added) -> Function {
    let mut function = Function::new([(1, ValType::I32)]);
    function.instructions().loop_(BlockType::Empty);
    next_step(&mut function, added);
    let mut code = function.instructions();
    code.local_get(0).local_get(1).local_get(3).memory_fill(0);
    code.local_get(0).local_get(3).i32_add().local_set(0);
    code.local_get(2).local_get(3).i32_sub().local_tee(2).br_if(0);
    code.end().end();
    function
}

/// Makes a `memory.copy` in steps, from the end when the destination overlaps the rest.
fn copy(added: Added) -> Function {
    let mut function = Function::new([(1, ValType::I32)]);
    function.instructions().loop_(BlockType::Empty);
    next_step(&mut function, added);
    let mut code = function.instructions();
    code.local_get(2).local_get(3).i32_sub().local_set(2);
    code.local_get(0).local_get(1).i32_sub().local_get(2).local_get(3).i32_add().i32_lt_u();
    code.if_(BlockType::Empty);
    code.local_get(0).local_get(2).i32_add().local_get(1).local_get(2).i32_add().local_get(3).memory_copy(0, 0);
    code.else_();
    code.local_get(0).local_get(1).local_get(3).memory_copy(0, 0);
    code.local_get(0).local_get(3).i32_add().local_set(0);
    code.local_get(1).local_get(3).i32_add().local_set(1);
    code.end();
    code.local_get(2).br_if(0);
    code.end().end();
    function
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (module (import "pyexec" "tick" (func)) (memory 1) (global (mut i32) (i32.const 0)) (func (loop (br 0)))
    /// (export "f" (func 1)))
    const SPINNING: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0f\x01\x06pyexec\x04tick\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
                              \x06\x06\x01\x7f\x01\x41\0\x0b\x07\x05\x01\x01f\0\x01\x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b";

    #[test]
    fn an_endless_loop_calls_the_host() {
        use wasmtime::{Engine, Linker, Store};
        let metered = instrument(SPINNING).unwrap();
        let engine = Engine::default();
        let module = wasmtime::Module::new(&engine, metered).unwrap();
        let mut linker = Linker::new(&engine);
        linker.func_wrap("pyexec", "tick", || -> Result<()> { bail!("out of fuel") }).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let error = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap().call(&mut store, ()).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "out of fuel");
        let left = instance.get_global(&mut store, FUEL).unwrap().get(&mut store).unwrap_i64();
        assert!((-COST_MAX.cast_signed()..0).contains(&left), "{left}");
    }

    /// (module (import "pyexec" "tick" (func)) (import "libm" "exp" (func (param f64) (result f64)))
    /// (memory 1) (global (mut i32) (i32.const 0)) (func (drop (call 1 (f64.const 0)))) (export "f" (func 2)))
    const EXP: &[u8] = b"\0asm\x01\0\0\0\x01\x09\x02\x60\0\0\x60\x01\x7c\x01\x7c\
                         \x02\x1a\x02\x06pyexec\x04tick\0\0\x04libm\x03exp\0\x01\x03\x02\x01\0\x05\x03\x01\0\x01\
                         \x06\x06\x01\x7f\x01\x41\0\x0b\x07\x05\x01\x01f\0\x02\
                         \x0a\x10\x01\x0e\0\x44\0\0\0\0\0\0\0\0\x10\x01\x1a\x0b";

    #[test]
    fn mathematics_of_the_host_costs_fuel() {
        use wasmtime::{Engine, Linker, Store};
        let engine = Engine::default();
        let module = wasmtime::Module::new(&engine, instrument(EXP).unwrap()).unwrap();
        let mut linker = Linker::new(&engine);
        linker.func_wrap("pyexec", "tick", || ()).unwrap();
        linker.func_wrap(libm::MODULE, "exp", f64::exp).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        instance.get_typed_func::<(), ()>(&mut store, "f").unwrap().call(&mut store, ()).unwrap();
        let left = instance.get_global(&mut store, FUEL).unwrap().get(&mut store).unwrap_i64();
        assert_eq!(left, SLICE - LIBM_COST);
    }
}
