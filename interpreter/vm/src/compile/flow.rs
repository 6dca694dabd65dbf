//! Flow analysis of the intermediate code: drops what is never reached, threads jumps, and finds
//! the variables that may be read unassigned (the others need neither clearing nor checking).

use super::ir::{Ir, IrCode, Kind, ends_flow};
use crate::code::op::Op;

/// Above this many bits of state the analysis is skipped and everything is checked.
const MAX_STATE_BITS: u64 = 1 << 28;

const NONE: u32 = u32::MAX;

/// A straight run of the list with one covering region.
struct Block {
    start: usize,
    end: usize,
    /// Innermost region that covers it, or `NONE`.
    region: u32,
    /// Block that follows by falling through, or `NONE`.
    next: u32,
    /// Block jumped to at its end, or `NONE`.
    jump: u32,
    reached: bool,
}

/// Rewrites `code` in place: unreached entries, proven checks and needless clears disappear.
pub(super) fn simplify(code: &mut IrCode) {
    thread_jumps(code);
    invert_branches(code);
    let (mut blocks, label_block) = split(code);
    let words = (code.tracked as usize).div_ceil(64);
    let precise = blocks.len() as u64 * words as u64 * 64 <= MAX_STATE_BITS;
    let states = reach(code, &mut blocks, &label_block, if precise { words } else { 0 });
    rewrite(code, &blocks, &states, if precise { words } else { 0 }, precise);
}

/// Lets a jump to a jump go to the final target.
fn thread_jumps(code: &mut IrCode) {
    let mut at = vec![NONE; code.labels as usize];
    for (i, ir) in code.list.iter().enumerate() {
        if ir.kind == Kind::Label {
            at[ir.a as usize] = i as u32;
        }
    }
    let resolve = |mut label: u32| {
        // The bound cuts rings of jumps (`while True: pass`).
        for _ in 0..16 {
            let mut i = at[label as usize] as usize;
            while i < code.list.len() && code.list[i].kind == Kind::Label {
                i += 1;
            }
            match code.list.get(i) {
                Some(ir) if ir.kind == Kind::Jump => label = ir.a,
                _ => break,
            }
        }
        label
    };
    let mut targets = Vec::new();
    for (i, ir) in code.list.iter().enumerate() {
        let old = match ir.kind {
            Kind::Jump => ir.a,
            Kind::Branch(_) => ir.b,
            _ => continue,
        };
        let new = resolve(old);
        if new != old {
            targets.push((i, new));
        }
    }
    for (i, label) in targets {
        let ir = &mut code.list[i];
        match ir.kind {
            Kind::Jump => ir.a = label,
            _ => ir.b = label,
        }
    }
}

/// A branch around a jump becomes the opposite branch.
fn invert_branches(code: &mut IrCode) {
    for i in 0..code.list.len().saturating_sub(2) {
        let (Kind::Branch(on), Kind::Jump) = (code.list[i].kind, code.list[i + 1].kind) else {
            continue;
        };
        let over = code.list[i + 2..].iter().take_while(|ir| ir.kind == Kind::Label);
        if over.take(4).any(|ir| ir.a == code.list[i].b) {
            code.list[i].kind = Kind::Branch(!on);
            code.list[i].b = code.list[i + 1].a;
            // The jump is now never taken: it leads to the label after it, and vanishes.
            code.list[i + 1].a = code.list[i + 2].a;
        }
    }
}

/// Cuts the list into blocks; also maps each label to its block.
fn split(code: &IrCode) -> (Vec<Block>, Vec<u32>) {
    let list = &code.list;
    let mut blocks: Vec<Block> = Vec::new();
    let mut label_block = vec![NONE; code.labels as usize];
    let mut regions: Vec<u32> = Vec::new();
    let mut start = 0;
    let mut i = 0;
    let close = |blocks: &mut Vec<Block>, start: usize, end: usize, regions: &[u32], falls| {
        let region = regions.last().copied().unwrap_or(NONE);
        let next = if falls { blocks.len() as u32 + 1 } else { NONE };
        blocks.push(Block { start, end, region, next, jump: NONE, reached: false });
    };
    while i < list.len() {
        let ir = &list[i];
        match ir.kind {
            Kind::Label => {
                if i > start {
                    close(&mut blocks, start, i, &regions, true);
                    start = i;
                }
                label_block[ir.a as usize] = blocks.len() as u32;
                // A label opens a block; further labels at the same place share it.
                while i + 1 < list.len() && list[i + 1].kind == Kind::Label {
                    i += 1;
                    label_block[list[i].a as usize] = blocks.len() as u32;
                }
            }
            Kind::TryBegin | Kind::TryEnd => {
                close(&mut blocks, start, i, &regions, true);
                start = i;
                if ir.kind == Kind::TryBegin {
                    regions.push(ir.a);
                } else {
                    regions.pop();
                }
            }
            Kind::Jump => {
                close(&mut blocks, start, i + 1, &regions, false);
                start = i + 1;
            }
            Kind::Branch(_) | Kind::ForIter => {
                close(&mut blocks, start, i + 1, &regions, true);
                start = i + 1;
            }
            Kind::Op(op) if ends_flow(op) => {
                close(&mut blocks, start, i + 1, &regions, false);
                start = i + 1;
            }
            _ => {}
        }
        i += 1;
    }
    close(&mut blocks, start, list.len(), &regions, false);
    for block in &mut blocks {
        let Some(last) = block.end.checked_sub(1).filter(|&l| l >= block.start) else { continue };
        let label = match list[last].kind {
            Kind::Jump => list[last].a,
            Kind::Branch(_) => list[last].b,
            Kind::ForIter => list[last].c,
            _ => continue,
        };
        block.jump = label_block[label as usize];
    }
    (blocks, label_block)
}

/// Marks the reached blocks and computes which variables are surely assigned at each block's
/// start: `words` words of bits for each block.
fn reach(code: &IrCode, blocks: &mut [Block], label_block: &[u32], words: usize) -> Vec<u64> {
    let mut states = vec![u64::MAX; blocks.len() * words];
    let mut queued = vec![false; blocks.len()];
    let mut work = vec![0u32];
    queued[0] = true;
    blocks[0].reached = true;
    states[..words].fill(0);
    let mut out = vec![0u64; words];
    let mut thrown = vec![0u64; words];
    while let Some(n) = work.pop() {
        let n = n as usize;
        queued[n] = false;
        out.copy_from_slice(&states[n * words..(n + 1) * words]);
        thrown.copy_from_slice(&out);
        let body = &code.list[blocks[n].start..blocks[n].end];
        let may_raise = body.iter().any(|ir| {
            // At a jump back an interrupt or the end of the time may come.
            matches!(
                ir.kind,
                Kind::Op(_) | Kind::Branch(_) | Kind::ForIter | Kind::Check | Kind::Jump
            )
        });
        if words > 0 {
            for ir in body {
                let (word, bit) = (ir.a as usize / 64, 1u64 << (ir.a % 64));
                match ir.kind {
                    Kind::Def | Kind::Check => out[word] |= bit,
                    Kind::Kill => {
                        out[word] &= !bit;
                        thrown[word] &= !bit;
                    }
                    _ => {}
                }
            }
        }
        let handler = match blocks[n].region {
            _ if !may_raise => NONE,
            NONE => NONE,
            r => label_block[code.regions[r as usize].handler.0 as usize],
        };
        for (target, state) in [(blocks[n].next, &out), (blocks[n].jump, &out), (handler, &thrown)]
        {
            if target == NONE || target as usize >= blocks.len() {
                continue;
            }
            let t = target as usize;
            let mut changed = !blocks[t].reached;
            blocks[t].reached = true;
            for (old, new) in states[t * words..(t + 1) * words].iter_mut().zip(state) {
                let met = *old & new;
                changed |= met != *old;
                *old = met;
            }
            if changed && !queued[t] {
                queued[t] = true;
                work.push(target);
            }
        }
    }
    states
}

/// Drops the dead entries, the checks that cannot fail and the clears nobody could notice.
fn rewrite(code: &mut IrCode, blocks: &[Block], states: &[u64], words: usize, precise: bool) {
    let mut keep = vec![true; code.list.len()];
    let mut checked = vec![!precise || code.clear_all; code.tracked as usize];
    let mut state = vec![0u64; words];
    for (n, block) in blocks.iter().enumerate() {
        if precise {
            state.copy_from_slice(&states[n * words..(n + 1) * words]);
        }
        for (i, ir) in code.list.iter().enumerate().take(block.end).skip(block.start) {
            match ir.kind {
                // Regions nest by their marks, labels are free: both stay where they are.
                Kind::Label | Kind::TryBegin | Kind::TryEnd => continue,
                _ if !block.reached => keep[i] = false,
                Kind::Def | Kind::Kill | Kind::Check if precise => {
                    let (word, bit) = (ir.a as usize / 64, 1u64 << (ir.a % 64));
                    match ir.kind {
                        Kind::Kill => state[word] &= !bit,
                        Kind::Def => state[word] |= bit,
                        _ if state[word] & bit != 0 => keep[i] = false,
                        _ => {
                            checked[ir.a as usize] = true;
                            state[word] |= bit;
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let mut out: Vec<Ir> = Vec::with_capacity(code.list.len());
    for (&ir, keep) in code.list.iter().zip(keep) {
        match ir.kind {
            _ if !keep => {}
            Kind::Def => {}
            Kind::Kill if ir.b == u32::MAX || !(ir.c == 1 || checked[ir.a as usize]) => {}
            Kind::Kill => match out.last_mut() {
                Some(last)
                    if last.kind == Kind::Op(Op::CLEAR)
                        && last.a + last.b + 1 == ir.b
                        && last.b < 255 =>
                {
                    last.b += 1;
                }
                _ => out.push(Ir { kind: Kind::Op(Op::CLEAR), a: ir.b, b: 0, c: 0, ..ir }),
            },
            _ => out.push(ir),
        }
    }
    code.list = out;
}
