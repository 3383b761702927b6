/* Sends the frames of a capture on an interface at a steady rate: live_sender IFACE CAPTURE RATE SECONDS
 *
 * When the capture is over it begins again with other addresses in place of those in 10.0.0.0/8 (of an IPv6
 * address the last four bytes count), so that connections are new.  Prints the frames sent and the seconds it took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 32, FILE_HEADER = 24, RECORD_HEADER = 16, ETHERNET = 14, NAP = 200000 };

typedef struct { uint8_t *data; size_t size, at; int round; } source_t;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void renumber(uint8_t *address) { address[1] += address[0] == 10; }

static struct iovec next_frame(source_t *s)
{
    uint32_t length;
    uint8_t *frame;
    if (s->at + RECORD_HEADER > s->size) {
        s->at = FILE_HEADER;
        s->round++;
    }
    memcpy(&length, s->data + s->at + 8, sizeof length);
    frame = s->data + s->at + RECORD_HEADER;
    s->at += RECORD_HEADER + length;
    if (s->round && frame[12] == 0x08) {
        renumber(frame + ETHERNET + 12);
        renumber(frame + ETHERNET + 16);
    } else if (s->round && frame[12] == 0x86) {
        renumber(frame + ETHERNET + 20);
        renumber(frame + ETHERNET + 36);
    }
    return (struct iovec){frame, length};
}

static int open_interface(const char *name)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = 0, .sll_ifindex = (int)if_nametoindex(name)};
    int on = 1, fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&to, sizeof to)
        || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on)) {
        perror(name);
        exit(1);
    }
    return fd;
}

static source_t open_capture(const char *path)
{
    struct stat status;
    source_t s = {.at = FILE_HEADER};
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status) || status.st_size <= FILE_HEADER) {
        perror(path);
        exit(1);
    }
    s.size = (size_t)status.st_size;
    s.data = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (s.data == MAP_FAILED)
        exit(1);
    return s;
}

static unsigned send_frames(int fd, source_t *s, unsigned n)
{
    static struct mmsghdr messages[AT_ONCE];
    static struct iovec frames[AT_ONCE];
    unsigned sent = 0;
    for (unsigned i = 0; i < n; i++) {
        frames[i] = next_frame(s);
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &frames[i], .msg_iovlen = 1};
    }
    while (sent < n) {
        int done = sendmmsg(fd, messages + sent, n - sent, 0);
        if (done > 0)
            sent += (unsigned)done;
    }
    return sent;
}

int main(int argc, char **argv)
{
    double start, passed, rate, seconds;
    unsigned long sent = 0;
    source_t source;
    int fd;
    if (argc != 5) {
        fprintf(stderr, "usage: live_sender IFACE CAPTURE RATE SECONDS\n");
        return 2;
    }
    rate = atof(argv[3]);
    seconds = atof(argv[4]);
    fd = open_interface(argv[1]);
    source = open_capture(argv[2]);
    start = now();
    while ((passed = now() - start) < seconds) {
        double due = passed * rate - (double)sent;
        if (due >= 1)
            sent += send_frames(fd, &source, due > AT_ONCE ? AT_ONCE : (unsigned)due);
        else if ((1 - due) / rate * 1e9 > 2 * NAP)
            nanosleep(&(struct timespec){0, NAP}, NULL);
    }
    printf("%lu %.6f\n", sent, passed);
    return 0;
}
