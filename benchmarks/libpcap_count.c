/* The peer that only counts: libpcap's own loop over a capture. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *data;
    unsigned long packets = 0, bytes = 0;
    pcap_t *capture = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
    if (capture == NULL) {
        fprintf(stderr, "usage: libpcap_count CAPTURE\n");
        return 2;
    }
    while (pcap_next_ex(capture, &header, &data) == 1) {
        packets++;
        bytes += header->len;
    }
    pcap_close(capture);
    printf("%lu packets, %lu bytes\n", packets, bytes);
    return 0;
}
