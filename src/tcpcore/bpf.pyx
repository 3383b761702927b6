"""Classic BPF over whole batches: the programs that libpcap compiles, run without the GIL.

The instruction set is that of McCanne and Jacobson, "The BSD Packet Filter" (USENIX 1993), as
libpcap emits it.  A program is verified once; after that no instruction can read outside the frame
or the scratch memory.  Jumps go forward, but for the loop that libpcap makes of ``protochain``: the
number of jumps back is bounded, so a run ends.
"""
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from tcpcore.batch cimport Batch
from tcpcore.bytes cimport be16, be32, le32
from tcpcore.records cimport frame_t
from tcpcore.wire.link_types cimport LINKTYPE_ENC, LINKTYPE_LOOP, LINKTYPE_NULL

cdef extern from "<sys/socket.h>" nogil:
    int AF_INET
    int AF_INET6

cdef enum:
    # instruction classes
    LD = 0x00
    LDX = 0x01
    ST = 0x02
    STX = 0x03
    ALU = 0x04
    JMP = 0x05
    RET = 0x06
    MISC = 0x07
    # load sizes and modes
    WORD = 0x00
    HALF = 0x08
    BYTE = 0x10
    IMM = 0x00
    ABS = 0x20
    IND = 0x40
    MEM = 0x60
    LEN = 0x80
    MSH = 0xa0
    # arithmetic
    ADD = 0x00
    SUB = 0x10
    MUL = 0x20
    DIV = 0x30
    OR = 0x40
    AND = 0x50
    LSH = 0x60
    RSH = 0x70
    NEG = 0x80
    MOD = 0x90
    XOR = 0xa0
    # jumps
    JA = 0x00
    JEQ = 0x10
    JGT = 0x20
    JGE = 0x30
    JSET = 0x40
    # operand: the constant or X
    X = 0x08
    # return A; exchange registers
    RET_A = 0x10
    TXA = 0x80
    SCRATCH = 16
    MAX_JUMPS_BACK = 1 << 14       # of one run: more headers than a frame can hold

ctypedef struct instruction_t:
    uint16_t code
    uint8_t jt
    uint8_t jf
    uint32_t k

cdef enum Family:
    FAMILY_NONE                    # frames do not begin with an address family
    FAMILY_OF_HOST                 # in the byte order of the machine that captured
    FAMILY_OF_NETWORK

ctypedef struct machine_t:
    uint32_t a
    uint32_t x
    uint32_t memory[SCRATCH]
    const uint8_t* frame
    uint32_t cap_len
    uint32_t wire_len
    Family family


cdef inline uint32_t address_family(const uint8_t* p, Family written) noexcept nogil:
    """That at the start of a frame of BSD's loopback, as a program made on this machine asks for it.

    IPv6 has another number on each system: 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
    """
    cdef uint32_t word = be32(p), number = word if word <= 0xFFFF else le32(p)
    if number == 24 or number == 28 or number == 30:
        number = AF_INET6
    if number != <uint32_t> AF_INET and number != <uint32_t> AF_INET6:
        return word
    return number if written == FAMILY_OF_NETWORK else be32(<const uint8_t*> &number)


cdef inline Family family_of(uint16_t link_type) noexcept nogil:
    if link_type == LINKTYPE_NULL or link_type == LINKTYPE_ENC:
        return FAMILY_OF_HOST
    return FAMILY_OF_NETWORK if link_type == LINKTYPE_LOOP else FAMILY_NONE


cdef inline bint load_packet(machine_t* m, uint32_t size, uint32_t start, uint32_t skip) noexcept nogil:
    """A := the bytes at start + skip; False beyond the captured ones (the frame is then rejected)."""
    cdef uint32_t width = 4 if size == WORD else 2 if size == HALF else 1
    cdef uint32_t at = start + skip
    if at < start or at > m.cap_len or m.cap_len - at < width:
        return False
    if width == 4:
        m.a = be32(m.frame + at) if m.family == FAMILY_NONE or at else address_family(m.frame, m.family)
    elif width == 2:
        m.a = be16(m.frame + at)
    else:
        m.a = m.frame[at]
    return True


cdef inline bint load_a(machine_t* m, uint16_t code, uint32_t k) noexcept nogil:
    cdef uint16_t mode = code & 0xe0
    if mode == ABS:
        return load_packet(m, code & 0x18, k, 0)
    if mode == IND:
        return load_packet(m, code & 0x18, m.x, k)
    m.a = k if mode == IMM else m.wire_len if mode == LEN else m.memory[k]
    return True


cdef inline bint load_x(machine_t* m, uint16_t code, uint32_t k) noexcept nogil:
    cdef uint16_t mode = code & 0xe0
    if mode == MSH:                      # 4 * (low nibble): the length of an IPv4 header
        if k >= m.cap_len:
            return False
        m.x = (m.frame[k] & 0x0f) << 2
    else:
        m.x = k if mode == IMM else m.wire_len if mode == LEN else m.memory[k]
    return True


cdef inline bint arithmetic(machine_t* m, uint16_t code, uint32_t k) noexcept nogil:
    """A := A op operand; False for a division by zero (the frame is then rejected)."""
    cdef uint32_t operand = m.x if code & X else k
    cdef uint16_t op = code & 0xf0
    if op == ADD:
        m.a += operand
    elif op == SUB:
        m.a -= operand
    elif op == MUL:
        m.a *= operand
    elif op == OR:
        m.a |= operand
    elif op == AND:
        m.a &= operand
    elif op == XOR:
        m.a ^= operand
    elif op == LSH:
        m.a = m.a << operand if operand < 32 else 0
    elif op == RSH:
        m.a = m.a >> operand if operand < 32 else 0
    elif op == NEG:
        m.a = 0 - m.a
    elif operand == 0:
        return False
    else:
        m.a = m.a // operand if op == DIV else m.a % operand
    return True


cdef inline uint32_t jump(const machine_t* m, const instruction_t* step) noexcept nogil:
    """How many instructions a conditional jump skips."""
    cdef uint32_t operand = m.x if step.code & X else step.k
    cdef uint16_t op = step.code & 0xf0
    cdef bint taken
    if op == JEQ:
        taken = m.a == operand
    elif op == JGT:
        taken = m.a > operand
    elif op == JGE:
        taken = m.a >= operand
    else:
        taken = (m.a & operand) != 0
    return step.jt if taken else step.jf


cdef uint32_t run(const instruction_t* step, machine_t* m) noexcept nogil:
    """The program's return value for the machine's frame: 0 rejects it."""
    cdef uint16_t group
    cdef uint32_t back = 0
    m.a = m.x = 0
    while True:
        group = step.code & 0x07
        if group == LD:
            if not load_a(m, step.code, step.k):
                return 0
        elif group == JMP and step.code & 0xf0 == JA:
            back += step.k >> 31
            if back > MAX_JUMPS_BACK:
                return 0
            step += <int32_t> step.k
        elif group == JMP:
            step += jump(m, step)
        elif group == RET:
            return m.a if step.code & 0x18 == RET_A else step.k
        elif group == LDX:
            if not load_x(m, step.code, step.k):
                return 0
        elif group == ALU:
            if not arithmetic(m, step.code, step.k):
                return 0
        elif group == ST:
            m.memory[step.k] = m.a
        elif group == STX:
            m.memory[step.k] = m.x
        elif step.code & 0xf8 == TXA:
            m.a = m.x
        else:
            m.x = m.a
        step += 1


cdef bint loads_soundly(const instruction_t* step) noexcept nogil:
    cdef uint16_t mode = step.code & 0xe0
    if mode == MEM:
        return step.k < SCRATCH
    if step.code & 0x07 == LDX:
        return mode == IMM or mode == LEN or mode == MSH
    return mode == IMM or mode == LEN or mode == ABS or mode == IND


cdef bint is_sound(const instruction_t* step, Py_ssize_t before, Py_ssize_t left) noexcept nogil:
    """Whether one instruction can be run, with so many ``before`` it and ``left`` after it."""
    cdef uint16_t group = step.code & 0x07
    if group == RET:
        return True
    if left == 0:
        return False
    if group == LD or group == LDX:
        return loads_soundly(step)
    if group == ST or group == STX:
        return step.k < SCRATCH
    if group == ALU:
        return step.code & 0xf0 <= XOR and not (step.code & X == 0 and step.k == 0
                                                and (step.code & 0xf0 == DIV or step.code & 0xf0 == MOD))
    if group == JMP:
        if step.code & 0xf0 == JA:
            return -before - 1 <= <int32_t> step.k < left
        return step.code & 0xf0 <= JSET and step.jt < left and step.jf < left
    return True


cdef class Program:
    """A verified BPF program: ``instructions`` are (code, jt, jf, k) tuples, as ``get_bpf`` gives them."""
    cdef instruction_t* steps
    cdef readonly Py_ssize_t length

    def __cinit__(self, instructions):
        cdef Py_ssize_t i
        self.length = len(instructions)
        if not self.length:
            raise ValueError("a BPF program has at least one instruction")
        self.steps = <instruction_t*> malloc(self.length * sizeof(instruction_t))
        if self.steps == NULL:
            raise MemoryError
        for i, (code, jt, jf, k) in enumerate(instructions):
            self.steps[i] = instruction_t(code, jt, jf, k & 0xffffffff)
            if not is_sound(&self.steps[i], i, self.length - 1 - i):
                raise ValueError(f"BPF instruction {i} ({code:#x}, {jt}, {jf}, {k:#x}) is not valid here")

    def __dealloc__(self):
        free(self.steps)

    def run(self, const uint8_t[::1] frame not None, wire_len=None) -> int:
        """The return value for one frame; 0 means that the frame is rejected."""
        cdef machine_t m
        memset(&m, 0, sizeof(m))
        m.frame = &frame[0] if frame.shape[0] else NULL
        m.cap_len = <uint32_t> frame.shape[0]
        m.wire_len = m.cap_len if wire_len is None else wire_len
        return run(self.steps, &m)


cdef void select_frames(Batch batch, const uint8_t* capture, const instruction_t* steps, uint16_t link_type,
                        uint8_t* keep) noexcept nogil:
    """Mark the frames of one link type that the program accepts."""
    cdef machine_t m
    cdef frame_t* frame
    cdef Py_ssize_t i
    memset(&m, 0, sizeof(m))
    m.family = family_of(link_type)
    for i in range(batch.n_frames):
        frame = &batch.frames[i]
        if frame.link_type != link_type:
            continue
        m.frame = capture + frame.offset
        m.cap_len = frame.cap_len
        m.wire_len = frame.wire_len
        keep[i] = run(steps, &m) != 0


cdef class Filter:
    """Keeps the frames of each batch that a capture filter accepts; frame numbers stay as they are.

    ``compile`` is called once for each link type met and returns a Program.
    """
    cdef object compile
    cdef dict programs

    def __init__(self, compile):
        self.compile = compile
        self.programs = {}

    def process(self, Batch batch not None):
        """Drop the rejected frames from ``batch`` (between reader and decode)."""
        cdef Program program
        cdef uint16_t link_type
        cdef const uint8_t* capture = batch.capture()
        cdef uint8_t* keep = <uint8_t*> malloc(batch.n_frames + 1)
        if keep == NULL:
            raise MemoryError
        try:
            for kind in self.link_types(batch):
                program = self.programs[kind]
                link_type = kind
                with nogil:
                    select_frames(batch, capture, program.steps, link_type, keep)
            with nogil:
                batch.drop_frames(keep)
        finally:
            free(keep)

    cdef set link_types(self, Batch batch):
        """The link types of the batch, with a program for each."""
        cdef set found = set()
        cdef Py_ssize_t i
        cdef int last = -1
        for i in range(batch.n_frames):
            if batch.frames[i].link_type != last:
                last = batch.frames[i].link_type
                found.add(last)
        for kind in found:
            if kind not in self.programs:
                self.programs[kind] = self.compile(kind)
        return found
