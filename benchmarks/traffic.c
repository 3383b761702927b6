/* Generated traffic, the same from the same seed: traffic PROFILE BYTES SEED > capture.pcap
 *
 * Connections run side by side, as on a link: at each step one of the live ones sends its next
 * packet.  A connection is a handshake, request and response some times over, and a close.  Of the data
 * segments some are lost behind the capture point (the receiver repeats its ACK with a SACK block, the
 * third repeat brings the retransmission) and some overtake their predecessor.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

enum { ETHERNET = 14, IP4 = 20, IP6 = 40, TCP = 20, STAMPS = 12, MAX_FRAME = 1600, NOISE = 1 << 16 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { SYN_SENT, SYN_ACKED, ESTABLISHED, REQUEST, RESPONSE, CLOSE_1, CLOSE_2, CLOSE_3, DONE };
enum { CLIENT, SERVER };

typedef struct {
    const char *name;
    uint32_t live;              /* connections at a time */
    double other, ip6;          /* share of frames that are not TCP, of connections over IPv6 */
    double lost, reordered;     /* share of data segments */
    uint32_t mss, stretch;      /* largest payload; data segments an ACK covers */
    double response, most;      /* bytes: Pareto-distributed from the first up to the last */
    int headers_only;           /* captured length ends with the TCP header */
} profile_t;

static const profile_t PROFILES[] = {
    {"mix", 3000, 0.10, 0.20, 0.04, 0.01, 1448, 2, 1900, 3e7, 0},
    {"bulk", 200, 0, 0, 0.002, 0.001, 1448, 4, 1e12, 1e12, 0},
    {"small", 20000, 0, 0.10, 0.005, 0, 1200, 2, 300, 1200, 1},
    {"flood", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};

typedef struct {
    uint32_t address[2];        /* of client and server; the low word of an IPv6 one */
    uint16_t port[2];
    uint32_t next[2], acked[2]; /* next sequence number; what the other side has acknowledged */
    uint32_t stamp[2];          /* last timestamp value of each side */
    uint64_t left;              /* bytes of the response still to send */
    uint32_t hole, beyond;      /* first byte lost, first byte after it that arrived */
    uint8_t phase, ip6, exchanges, unacked, repeats, swapped;
} flow_t;

static const profile_t *profile;
static uint64_t random_state, now_us = 1700000000000000ull, written;
static uint8_t noise[NOISE];

static uint64_t draw(void)                       /* xorshift64* (Vigna) */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717ull;
}

static double uniform(void) { return (double)(draw() >> 11) / 9007199254740992.0; }
static int chance(double p) { return p > 0 && uniform() < p; }
static uint8_t *put16(uint8_t *p, uint32_t v) { p[0] = v >> 8; p[1] = v; return p + 2; }
static uint8_t *put32(uint8_t *p, uint32_t v) { return put16(put16(p, v >> 16), v & 0xffff); }

static void write_frame(const uint8_t *frame, uint32_t captured, uint32_t length)
{
    uint32_t header[4] = {(uint32_t)(now_us / 1000000), (uint32_t)(now_us % 1000000), captured, length};
    fwrite(header, sizeof header, 1, stdout);
    fwrite(frame, captured, 1, stdout);
    written += sizeof header + captured;
    now_us += 1 + draw() % 9;
}

static uint8_t *put_ip(uint8_t *p, int ip6, uint32_t source, uint32_t target, uint32_t size, uint8_t protocol)
{
    static uint16_t identification;
    uint8_t *start = p;
    uint32_t sum = 0;
    p = put16(p + 12, ip6 ? 0x86dd : 0x0800);
    memcpy(start, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
    start = p;
    if (ip6) {
        p = put32(p, 6u << 28);
        p = put16(p, size);
        *p++ = protocol;
        *p++ = 64;
        p = put32(put32(put32(put32(p, 0xfd000000), 0), 0), source);
        return put32(put32(put32(put32(p, 0xfd000000), 0), 0), target);
    }
    p = put16(put16(p, 0x4500), IP4 + size);
    p = put16(put16(p, ++identification), 0x4000);
    *p++ = 64;
    *p++ = protocol;
    p = put32(put32(put16(p, 0), source), target);
    for (int i = 0; i < IP4; i += 2)
        sum += (uint32_t)start[i] << 8 | start[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(start + 10, ~(sum + (sum >> 16)));
    return p;
}

/* One segment of `side`; a SACK block goes along while the other side's data has a hole. */
static void send_segment(flow_t *f, int side, uint8_t flags, uint32_t seq, uint32_t size)
{
    uint8_t frame[MAX_FRAME], *p, *tcp;
    int other = !side, sack = !(flags & SYN) && !size && f->hole && f->beyond;
    uint32_t options = flags & SYN ? 20 : sack ? STAMPS + 12 : STAMPS, captured, length;
    p = put_ip(frame, f->ip6, f->address[side], f->address[other], TCP + options + size, 6);
    tcp = p;
    p = put16(put16(p, f->port[side]), f->port[other]);
    p = put32(p, seq);
    p = put32(p, flags & ACK ? f->acked[other] : 0);
    *p++ = (uint8_t)((TCP + options) / 4 << 4);
    *p++ = flags;
    p = put32(put16(p, flags & SYN ? 64240 : 501), 0);
    f->stamp[side] = (uint32_t)(now_us / 1000);
    if (flags & SYN) {
        p = put32(put32(p, 0x02040000 | profile->mss), 0x0402080a);
        p = put32(put32(p, f->stamp[side]), f->stamp[other]);
        p = put32(p, 0x01030307);
    } else {
        p = put32(put32(put32(p, 0x0101080a), f->stamp[side]), f->stamp[other]);
        if (sack)
            p = put32(put32(put32(p, 0x0101050a), f->hole + profile->mss), f->beyond);
    }
    memcpy(p, noise + draw() % (NOISE - MAX_FRAME), size);
    length = (uint32_t)(p - frame) + size;
    captured = profile->headers_only ? (uint32_t)(tcp - frame) + TCP + options : length;
    write_frame(frame, captured, length);
}

static void send_datagram(void)
{
    uint8_t frame[MAX_FRAME], *p;
    uint32_t size = 8 + 40 + draw() % 1200;
    p = put_ip(frame, 0, 0x0a000000 | (draw() & 0xffffff), 0xc0a80000 | (draw() & 0xff), size, 17);
    p = put16(put16(p, 1024 + draw() % 60000), 53);
    put16(put16(p, size), 0);
    memcpy(p + 4, noise + draw() % (NOISE - MAX_FRAME), size - 8);
    write_frame(frame, ETHERNET + IP4 + size, ETHERNET + IP4 + size);
}

static void open_flow(flow_t *f)
{
    memset(f, 0, sizeof *f);
    f->address[CLIENT] = 0x0a000000 | (draw() & 0xffffff);
    f->address[SERVER] = 0xc0000200 | (draw() & 0x3ff);
    f->port[CLIENT] = 1024 + draw() % 64000;
    f->port[SERVER] = chance(0.7) ? 443 : 80;
    f->next[CLIENT] = f->acked[CLIENT] = (uint32_t)draw();
    f->next[SERVER] = f->acked[SERVER] = (uint32_t)draw();
    f->ip6 = chance(profile->ip6);
    f->exchanges = 1 + draw() % 7;
}

static uint64_t response_size(void)
{
    double size = profile->response / pow(1 - uniform(), 1 / 1.2);
    return (uint64_t)(size < profile->most ? size : profile->most);
}

static void acknowledge(flow_t *f)
{
    if (f->hole && ++f->repeats > 3) {          /* the third repeat brought it: all is there again */
        send_segment(f, SERVER, ACK, f->hole, profile->mss);
        f->hole = f->beyond = f->repeats = 0;
    }
    if (!f->hole)
        f->acked[SERVER] = f->next[SERVER];
    send_segment(f, CLIENT, ACK, f->next[CLIENT], 0);
    f->unacked = 0;
}

static void respond(flow_t *f)
{
    uint32_t size = f->left < profile->mss ? (uint32_t)f->left : profile->mss, seq = f->next[SERVER];
    if (f->unacked >= profile->stretch || (f->hole && f->beyond && f->unacked) || !f->left) {
        acknowledge(f);
        if (!f->left && !f->hole)
            f->phase = --f->exchanges ? REQUEST : CLOSE_1;
        return;
    }
    if (f->left >= 2 * profile->mss && !f->hole && chance(profile->reordered)) {
        send_segment(f, SERVER, ACK, seq + size, size);
        send_segment(f, SERVER, ACK, seq, size);
        f->next[SERVER] += 2 * size;
        f->left -= 2 * size;
        f->unacked += 2;
        return;
    }
    if (!f->hole && f->left > 6 * profile->mss && chance(profile->lost))
        f->hole = seq;
    else if (f->hole)
        f->beyond = seq + size;
    send_segment(f, SERVER, f->left == size ? ACK | PSH : ACK, seq, size);
    f->next[SERVER] += size;
    f->left -= size;
    f->unacked++;
}

static void step(flow_t *f)
{
    switch (f->phase) {
    case SYN_SENT:
        send_segment(f, CLIENT, SYN, f->next[CLIENT]++, 0);
        f->acked[CLIENT] = f->next[CLIENT];
        break;
    case SYN_ACKED:
        send_segment(f, SERVER, SYN | ACK, f->next[SERVER]++, 0);
        f->acked[SERVER] = f->next[SERVER];
        break;
    case ESTABLISHED:
        send_segment(f, CLIENT, ACK, f->next[CLIENT], 0);
        break;
    case REQUEST: {
        uint32_t size = 120 + draw() % 600;
        send_segment(f, CLIENT, ACK | PSH, f->next[CLIENT], size);
        f->next[CLIENT] += size;
        f->acked[CLIENT] = f->next[CLIENT];
        f->left = response_size();
        break;
    }
    case RESPONSE:
        respond(f);
        return;
    case CLOSE_1:
        send_segment(f, CLIENT, FIN | ACK, f->next[CLIENT]++, 0);
        f->acked[CLIENT] = f->next[CLIENT];
        break;
    case CLOSE_2:
        send_segment(f, SERVER, FIN | ACK, f->next[SERVER]++, 0);
        f->acked[SERVER] = f->next[SERVER];
        break;
    case CLOSE_3:
        send_segment(f, CLIENT, ACK, f->next[CLIENT], 0);
        break;
    }
    f->phase++;
}

static void flood(uint64_t bytes)
{
    flow_t f;
    profile = &PROFILES[0];
    while (written < bytes) {
        open_flow(&f);
        f.ip6 = 0;
        f.address[CLIENT] = (uint32_t)draw();
        f.address[SERVER] = 0xc0000201;
        f.port[SERVER] = 443;
        send_segment(&f, CLIENT, SYN, f.next[CLIENT], 0);
    }
}

static void converse(uint64_t bytes)
{
    flow_t *flows = calloc(profile->live, sizeof *flows);
    if (flows == NULL)
        exit(1);
    for (uint32_t i = 0; i < profile->live; i++)
        open_flow(&flows[i]);
    while (written < bytes) {
        flow_t *f = &flows[draw() % profile->live];
        if (chance(profile->other)) {
            send_datagram();
            continue;
        }
        step(f);
        if (f->phase == DONE)
            open_flow(f);
    }
    free(flows);
}

int main(int argc, char **argv)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};
    if (argc != 4) {
        fprintf(stderr, "usage: traffic mix|bulk|small|flood BYTES SEED > capture.pcap\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof PROFILES / sizeof *PROFILES; i++)
        if (!strcmp(argv[1], PROFILES[i].name))
            profile = &PROFILES[i];
    if (profile == NULL) {
        fprintf(stderr, "traffic: no profile %s\n", argv[1]);
        return 2;
    }
    random_state = strtoull(argv[3], NULL, 10) * 2 + 88172645463325253ull;
    for (int i = 0; i < NOISE; i++)
        noise[i] = (uint8_t)(draw() >> 32);
    setvbuf(stdout, NULL, _IOFBF, 1 << 20);
    fwrite(header, sizeof header, 1, stdout);
    if (profile->live)
        converse(strtoull(argv[2], NULL, 10));
    else
        flood(strtoull(argv[2], NULL, 10));
    return fflush(stdout) != 0;
}
