//! The opcode table: the one place that names every instruction, its shape and its meaning.
//!
//! An instruction is one 32-bit word `op | a << 8 | b << 16 | c << 24`, followed by the number of
//! extra words its row states. `R[n]` is a register of the frame, `K[n]` a constant, `IC[n]` an
//! inline cache (which also holds the name it is about). The compiler emits the rows of this
//! table; quickened forms are private to the dispatch loop and are never emitted.
//!
//! Limits of the encoding never reach a script: registers above [`MAX_REG`] are reached with
//! `GETFAR`/`SETFAR`, constants above 65535 with `LOADKX`, far jumps with `JUMPX`.

/// The highest register that an operand can name.
pub const MAX_REG: u32 = 255;

/// How the operand bytes of an instruction are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No operands.
    None,
    /// Register `a`.
    A,
    /// Registers `a` and `b`.
    AB,
    /// Registers `a`, `b` and `c`.
    ABC,
    /// Registers `a` and `b`, and a signed byte in `c`.
    ABi,
    /// Register `a` and a 16-bit unsigned number in `b`,`c`.
    ABx,
    /// Register `a` and a 16-bit signed number in `b`,`c`.
    AsBx,
    /// A 24-bit signed jump distance in `a`,`b`,`c`, counted from the next instruction.
    Jump,
    /// Register `a` and a 16-bit signed jump distance, counted from the next instruction.
    Branch,
}

/// What an extra word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// No extra word.
    None,
    /// Index of a constant.
    Const,
    /// Index of an inline cache.
    Cache,
    /// A signed jump distance, counted from the word after it.
    Jump,
    /// A plain number.
    Num,
    /// A row of the internal natives (`code::intrinsic`) in the low half, argument count above.
    Intrinsic,
}

macro_rules! opcodes {
    ($( $name:ident $shape:ident $extra:ident $doc:literal; )*) => {
        /// An opcode. The discriminant is the low byte of the instruction word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        pub enum Op { $( #[doc = $doc] $name, )* }

        impl Op {
            /// Every opcode in order.
            pub const ALL: &'static [Op] = &[$( Op::$name, )*];

            /// The mnemonic.
            pub const fn name(self) -> &'static str {
                match self { $( Op::$name => stringify!($name), )* }
            }

            /// How the operands are read.
            pub const fn shape(self) -> Shape {
                match self { $( Op::$name => Shape::$shape, )* }
            }

            /// What the extra word (if any) holds.
            pub const fn extra(self) -> Extra {
                match self { $( Op::$name => Extra::$extra, )* }
            }

            /// The meaning, as a register equation.
            pub const fn doc(self) -> &'static str {
                match self { $( Op::$name => $doc, )* }
            }
        }

        /// Expands `$cb! { NAME, }` with every opcode in order.
        macro_rules! for_each_opcode {
            ($cb:ident) => { $cb! { $( $name, )* } };
        }
    };
}

opcodes! {
    // Loads and moves
    NOP None None "nothing";
    MOVE AB None "R[a] = R[b]";
    LOADK ABx None "R[a] = K[bx]";
    LOADKX A Const "R[a] = K[extra]";
    LOADI AsBx None "R[a] = int(sbx)";
    LOADS AB None "R[a] = special number b (see code::Special: Empty, None, False, True, Ellipsis, NotImplemented)";
    CLEAR AB None "R[a ..= a+b] = Empty";
    GETFAR A Num "R[a] = R[extra]; for registers an operand cannot name";
    SETFAR A Num "R[extra] = R[a]";
    CHECK A Const "if R[a] is Empty: raise UnboundLocalError about name K[extra]";
    // Cells: variables that inner functions share
    MKCELL AB None "R[a] = new cell holding R[b] (which may be Empty)";
    GETCELL AB Const "R[a] = contents of cell R[b]; Empty: UnboundLocalError about name K[extra]";
    SETCELL AB None "contents of cell R[a] = R[b] (LOADS Empty first to delete)";
    GETFREE ABx None "R[a] = contents of free cell bx of this function; Empty: NameError (free variable)";
    SETFREE ABx None "contents of free cell bx = R[a]";
    FREECELL ABx None "R[a] = free cell bx itself";
    // Names
    GETGLOBAL A Cache "R[a] = global or builtin IC.name, or NameError";
    SETGLOBAL A Cache "global IC.name = R[a]";
    DELGLOBAL None Const "delete global K[extra], or NameError";
    GETNAME AB Cache "R[a] = IC.name in namespace R[b], else global, else builtin";
    SETNAME AB Const "namespace R[b] [K[extra]] = R[a]";
    DELNAME A Const "delete K[extra] from namespace R[a], or NameError";
    GETNAMEFREE ABC Const "R[a] = K[extra] in namespace R[b], else contents of free cell c";
    // Attributes and items
    GETATTR AB Cache "R[a] = R[b].name";
    SETATTR AB Cache "R[a].name = R[b]";
    DELATTR A Const "delete R[a].K[extra]";
    SELF AB Cache "method load: R[a], R[a+1] = function, R[b]; or R[a], R[a+1] = R[b].name, Empty. For CALLM";
    GETITEM ABC None "R[a] = R[b][R[c]]";
    GETITEMI ABi None "R[a] = R[b][imm c]";
    SETITEM ABC None "R[a][R[b]] = R[c]";
    DELITEM AB None "delete R[a][R[b]]";
    MKSLICE AB None "R[a] = slice(R[b], R[b+1], R[b+2])";
    // Arithmetic
    ADD ABC None "R[a] = R[b] + R[c]";
    SUB ABC None "R[a] = R[b] - R[c]";
    MUL ABC None "R[a] = R[b] * R[c]";
    TRUEDIV ABC None "R[a] = R[b] / R[c]";
    FLOORDIV ABC None "R[a] = R[b] // R[c]";
    MOD ABC None "R[a] = R[b] % R[c]";
    POW ABC None "R[a] = R[b] ** R[c]";
    LSHIFT ABC None "R[a] = R[b] << R[c]";
    RSHIFT ABC None "R[a] = R[b] >> R[c]";
    BITAND ABC None "R[a] = R[b] & R[c]";
    BITOR ABC None "R[a] = R[b] | R[c]";
    BITXOR ABC None "R[a] = R[b] ^ R[c]";
    MATMUL ABC None "R[a] = R[b] @ R[c]";
    ADDI ABi None "R[a] = R[b] + imm c (also stands for subtraction of a small constant: see SUBI)";
    SUBI ABi None "R[a] = R[b] - imm c";
    IADD ABC None "R[a] = R[b] += R[c] (in-place form)";
    ISUB ABC None "R[a] = R[b] -= R[c]";
    IMUL ABC None "R[a] = R[b] *= R[c]";
    INPLACE ABC Num "R[a] = R[b] op= R[c] for the binary operator whose opcode is extra (TRUEDIV..MATMUL)";
    IADDI ABi None "R[a] = R[b] += imm c";
    ISUBI ABi None "R[a] = R[b] -= imm c";
    NEG AB None "R[a] = -R[b]";
    POS AB None "R[a] = +R[b]";
    INVERT AB None "R[a] = ~R[b]";
    NOT AB None "R[a] = not R[b]";
    // Comparison
    EQ ABC None "R[a] = R[b] == R[c]";
    NE ABC None "R[a] = R[b] != R[c]";
    LT ABC None "R[a] = R[b] < R[c]";
    LE ABC None "R[a] = R[b] <= R[c]";
    GT ABC None "R[a] = R[b] > R[c]";
    GE ABC None "R[a] = R[b] >= R[c]";
    IS ABC None "R[a] = R[b] is R[c]";
    ISNOT ABC None "R[a] = R[b] is not R[c]";
    IN ABC None "R[a] = R[b] in R[c]";
    NOTIN ABC None "R[a] = R[b] not in R[c]";
    // Fused comparison and branch: the next instruction is always BRT or BRF of the same a, and
    // R[a] must be dead after it. The fast path jumps at once and does not write R[a].
    JEQ ABC None "R[a] = R[b] == R[c]; then the BRT/BRF R[a] that follows";
    JNE ABC None "R[a] = R[b] != R[c]; then the BRT/BRF R[a] that follows";
    JLT ABC None "R[a] = R[b] < R[c]; then the BRT/BRF R[a] that follows";
    JLE ABC None "R[a] = R[b] <= R[c]; then the BRT/BRF R[a] that follows";
    JGT ABC None "R[a] = R[b] > R[c]; then the BRT/BRF R[a] that follows";
    JGE ABC None "R[a] = R[b] >= R[c]; then the BRT/BRF R[a] that follows";
    JEQI ABi None "R[a] = R[b] == imm c; then the BRT/BRF R[a] that follows";
    JNEI ABi None "R[a] = R[b] != imm c; then the BRT/BRF R[a] that follows";
    JLTI ABi None "R[a] = R[b] < imm c; then the BRT/BRF R[a] that follows";
    JLEI ABi None "R[a] = R[b] <= imm c; then the BRT/BRF R[a] that follows";
    JGTI ABi None "R[a] = R[b] > imm c; then the BRT/BRF R[a] that follows";
    JGEI ABi None "R[a] = R[b] >= imm c; then the BRT/BRF R[a] that follows";
    JIN ABC None "R[a] = R[b] in R[c]; then the BRT/BRF R[a] that follows";
    JNOTIN ABC None "R[a] = R[b] not in R[c]; then the BRT/BRF R[a] that follows";
    JIS ABC None "R[a] = R[b] is R[c]; then the BRT/BRF R[a] that follows";
    JISNOT ABC None "R[a] = R[b] is not R[c]; then the BRT/BRF R[a] that follows";
    // Control. A branch or jump backwards spends fuel.
    BRT Branch None "if truth(R[a]): pc += sbx";
    BRF Branch None "if not truth(R[a]): pc += sbx";
    JUMP Jump None "pc += sj";
    JUMPX None Jump "pc += extra";
    FORPREP AB None "R[a], R[a+1], R[a+2] = iteration state of iter(R[b])";
    FORITER AB None "R[b] = next of state R[a]; the next instruction is a JUMP (to the body), taken if there was one and skipped at the end";
    // Calls. R[a] is the callee and receives the result; registers above the arguments are dead.
    CALL AB None "R[a] = R[a](R[a+1 .. a+1+b])";
    CALLM AB None "method call after SELF: R[a] = R[a](R[a+1], R[a+2 .. a+2+b]), without R[a+1] if that is Empty";
    KWNAMES None Const "the CALL or CALLM that follows is a CALLKW/CALLMKW: its last len(K[extra]) arguments are keywords named by that tuple";
    CALLKW AB None "as CALL, after KWNAMES; b counts all values";
    CALLMKW AB None "as CALLM, after KWNAMES; b counts all values after the receiver";
    CALLEX A None "R[a] = R[a](*R[a+1], **R[a+2]); R[a+1] a tuple or list, R[a+2] a dict or Empty";
    INTRINSIC A Intrinsic "R[a] = internal native (R[a+1 ..])";
    RETURN A None "return R[a]";
    RETNONE None None "return None";
    MKFUNC AB Const "R[a] = function of code K[extra]; b is a set of: 1 defaults tuple in R[a+1], 2 keyword defaults dict in R[a+2], 4 annotations dict in R[a+3]. Captures are listed in the code";
    // Containers
    MKLIST ABC None "R[a] = [R[b] .. c values]";
    MKTUPLE ABC None "R[a] = (R[b] .. c values)";
    MKSET ABC None "R[a] = {R[b] .. c values}";
    MKDICT ABC None "R[a] = {R[b]: R[b+1], .. c pairs}";
    MKSTR ABC None "R[a] = join of the c strings R[b]..";
    APPEND AB None "R[a].append(R[b]), R[a] a list made here";
    EXTEND ABC None "R[a].extend(R[b]), R[a] a list made here; R[c] is the callee whose arguments they are (for the message), or R[a] itself";
    SETADD AB None "R[a].add(R[b]), R[a] a set made here";
    SETUPDATE AB None "R[a].update(R[b]), R[a] a set made here";
    DICTADD ABC None "R[a][R[b]] = R[c], R[a] a dict made here";
    DICTUPDATE AB None "R[a].update(R[b]) for `{**x}`: TypeError unless R[b] is a mapping";
    DICTMERGE ABC None "as DICTUPDATE for call keywords: TypeError if a key repeats or is no str; R[c] is the callee (for the message)";
    LISTTUPLE AB None "R[a] = tuple(R[b]), R[b] a list made here and dead after";
    UNPACK ABC None "R[a .. a+c] = the exactly c values of R[b]";
    UNPACKEX AB Num "R[a ..] = values of R[b] with a star: extra = before | after << 16; gives before + 1 (a list) + after registers";
    // Formatting: f-strings
    FORMAT ABC None "R[a] = format(conv(R[b]), R[c]); see FORMATS for the plain form";
    FORMATS ABC None "R[a] = format(conv(R[b]), ''); c is the conversion: 0 none, 1 str, 2 repr, 3 ascii";
    CONVERT ABC None "R[a] = str/repr/ascii of R[b] by conversion c (1, 2, 3)";
    // Exceptions. A handler table row (see HandlerRow) catches: R[reg] = the exception handled
    // before, R[reg+1] = the exception, which becomes the handled one.
    RAISE A None "raise R[a]";
    RAISEFROM AB None "raise R[a] from R[b]";
    RERAISE A None "raise R[a] again, keeping its traceback";
    RAISELAST None None "raise: the exception being handled, or RuntimeError";
    ENDCATCH A None "the handled exception is R[a] again (as saved at the handler's entry)";
    EXCMATCH ABC None "R[a] = whether exception R[b] matches class or tuple R[c], TypeError if that is no exception class";
    LOADASSERT A None "R[a] = the AssertionError class";
    // with
    WITHPREP AB None "R[a], R[a+1] = R[b].__exit__, R[b].__enter__ (bound), or TypeError";
    AWITHPREP AB None "R[a], R[a+1] = R[b].__aexit__, R[b].__aenter__ (bound), or TypeError";
    EXCARGS AB None "R[a], R[a+1], R[a+2] = type(R[b]), R[b], R[b].__traceback__";
    // Generators and coroutines
    MKGEN None None "first instruction of a generator or coroutine: return a new generator that holds this frame";
    YIELD AB None "yield R[b]; R[a] = the value sent on resumption";
    ITERFROM AB None "R[a] = iterator of `yield from R[b]`";
    AWAITABLE ABC None "R[a] = iterator of `await R[b]`; c: 0 plain, 1 __aenter__, 2 __aexit__, 3 __anext__ (for the message)";
    DELEGATE AB None "send R[b] into iterator R[a]: what it yields is yielded (resumption repeats with the sent value in R[b]); at its end R[a] = its result";
    GETAITER AB None "R[a] = R[b].__aiter__()";
    GETANEXT AB None "R[a] = R[b].__anext__()";
    // Import
    IMPORT AB Const "R[a] = import of name K[extra]; R[b] the fromlist (tuple or None), R[b+1] the level";
    IMPORTFROM AB Const "R[a] = name K[extra] from module R[b], or ImportError";
    // Interactive
    PRINTEXPR A None "print repr(R[a]) unless None, and keep it as _";
}

/// Values without a heap object, in the order of the operand `b` of [`Op::LOADS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Special {
    /// No value: an unassigned variable, an absent argument. Never visible to a script.
    Empty,
    /// `None`.
    None,
    /// `False`.
    False,
    /// `True`.
    True,
    /// `...`.
    Ellipsis,
    /// `NotImplemented`.
    NotImplemented,
}

impl Op {
    /// Number of words the instruction takes.
    #[allow(clippy::len_without_is_empty)] // no instruction is empty
    pub const fn len(self) -> usize {
        match self.extra() {
            Extra::None => 1,
            _ => 2,
        }
    }

    /// The opcode in the low byte of `word`, if it is one.
    pub const fn decode(word: u32) -> Option<Op> {
        let n = (word & 0xff) as usize;
        if n < Op::ALL.len() { Some(Op::ALL[n]) } else { None }
    }

    /// Whether the following instruction belongs to this one (a branch after a fused comparison,
    /// a jump after FORITER).
    pub const fn takes_branch(self) -> bool {
        let n = self as u8;
        n >= Op::JEQ as u8 && n <= Op::JISNOT as u8
    }
}

/// An instruction word with its operand accessors.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Ins(pub u32);

impl Ins {
    /// An instruction from its opcode and three operand bytes.
    pub const fn abc(op: Op, a: u8, b: u8, c: u8) -> Ins {
        Ins(op as u32 | (a as u32) << 8 | (b as u32) << 16 | (c as u32) << 24)
    }

    /// An instruction with a 16-bit operand.
    pub const fn abx(op: Op, a: u8, bx: u16) -> Ins {
        Ins(op as u32 | (a as u32) << 8 | (bx as u32) << 16)
    }

    /// An instruction with a 24-bit signed jump distance; `None` if it does not fit.
    pub const fn jump(op: Op, distance: i32) -> Option<Ins> {
        if distance < -(1 << 23) || distance >= 1 << 23 {
            return None;
        }
        Some(Ins(op as u32 | (distance as u32) << 8))
    }

    /// The raw opcode byte.
    #[inline(always)]
    pub const fn op(self) -> u8 {
        self.0 as u8
    }

    /// Operand `a`.
    #[inline(always)]
    pub const fn a(self) -> usize {
        (self.0 >> 8 & 0xff) as usize
    }

    /// Operand `b`.
    #[inline(always)]
    pub const fn b(self) -> usize {
        (self.0 >> 16 & 0xff) as usize
    }

    /// Operand `c`.
    #[inline(always)]
    pub const fn c(self) -> usize {
        (self.0 >> 24) as usize
    }

    /// Operand `c` as a signed byte.
    #[inline(always)]
    pub const fn imm(self) -> i8 {
        (self.0 >> 24) as u8 as i8
    }

    /// The 16-bit operand.
    #[inline(always)]
    pub const fn bx(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// The signed 16-bit operand.
    #[inline(always)]
    pub const fn sbx(self) -> i32 {
        self.0 as i32 >> 16
    }

    /// The signed 24-bit operand.
    #[inline(always)]
    pub const fn sj(self) -> i32 {
        self.0 as i32 >> 8
    }
}
