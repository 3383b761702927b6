// Counts the segments of each TCP connection of a capture, with gopacket's fastest decoder.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

type key struct{ network, transport gopacket.Flow }

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	reader, err := pcapgo.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		panic(err)
	}
	var ethernet layers.Ethernet
	var vlan layers.Dot1Q
	var ip4 layers.IPv4
	var ip6 layers.IPv6
	var tcp layers.TCP
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ethernet, &vlan, &ip4, &ip6, &tcp)
	parser.IgnoreUnsupported = true
	decoded := make([]gopacket.LayerType, 0, 8)
	flows := make(map[key]int)
	for {
		data, _, err := reader.ZeroCopyReadPacketData()
		if err == io.EOF {
			break
		} else if err != nil {
			panic(err)
		}
		if parser.DecodeLayers(data, &decoded) != nil {
			continue
		}
		var network gopacket.Flow
		for _, layer := range decoded {
			switch layer {
			case layers.LayerTypeIPv4:
				network = ip4.NetworkFlow()
			case layers.LayerTypeIPv6:
				network = ip6.NetworkFlow()
			case layers.LayerTypeTCP:
				transport := tcp.TransportFlow()
				if _, there := flows[key{network.Reverse(), transport.Reverse()}]; there {
					flows[key{network.Reverse(), transport.Reverse()}]++
				} else {
					flows[key{network, transport}]++
				}
			}
		}
	}
	fmt.Println(len(flows))
}
