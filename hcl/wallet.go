package hcl

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/crypto/sha3"
)

// isWallet verifies a Monero address of the main network: a typo in it would
// pay a stranger, or nobody.
func isWallet(v cty.Value) string {
	if defect := walletDefect(v.AsString()); defect != "" {
		return "must be a Monero address, but " + defect
	}
	return ""
}

// addressLike is how an address starts that a pool's user may begin with:
// standard and subaddress, or integrated.
var addressLike = regexp.MustCompile(`^([48][1-9A-HJ-NP-Za-km-z]{94}|4[1-9A-HJ-NP-Za-km-z]{105})($|[^0-9A-Za-z])`)

// isPoolUser takes what a pool takes. Where it starts like a Monero address,
// as ADDRESS.WORKER does, the address is verified.
func isPoolUser(v cty.Value) string {
	user := v.AsString()
	if m := addressLike.FindStringSubmatch(user); m != nil {
		if defect := walletDefect(m[1]); defect != "" {
			return "starts like a Monero address, but " + defect
		}
	}
	if strings.ContainsFunc(user, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "must not hold spaces or control characters"
	}
	return ""
}

// The networks of an address by its first byte (Monero source
// cryptonote_config.h). Empty is the main network.
var networks = map[byte]string{
	18: "", integrated: "", 42: "", // standard, integrated, subaddress
	53: "test", 54: "test", 63: "test",
	24: "stage", 25: "stage", 36: "stage",
}

const (
	integrated     = 19 // with a payment id of 8 bytes
	checksumSize   = 4
	keysSize       = 1 + 32 + 32 // prefix, spend key, view key
	integratedSize = keysSize + 8
)

// walletDefect says what is wrong with an address of the main network.
func walletDefect(address string) string {
	if address == "" {
		return "it is empty"
	}
	data, ok := decodeBase58(address)
	if !ok || len(data) <= checksumSize {
		return "it is not made of 95 or 106 characters of base58"
	}
	payload, sum := data[:len(data)-checksumSize], data[len(data)-checksumSize:]
	h := sha3.NewLegacyKeccak256()
	h.Write(payload)
	if !bytes.Equal(h.Sum(nil)[:checksumSize], sum) {
		return "its checksum is wrong: there is a typo in it, or a part is missing"
	}
	network, known := networks[payload[0]]
	switch {
	case !known:
		return "it is one of another coin"
	case network != "":
		return "it is one of the " + network + " network, where coins have no value"
	case payload[0] == integrated && len(payload) != integratedSize,
		payload[0] != integrated && len(payload) != keysSize:
		return "it has the length of another kind of address"
	}
	return ""
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Sizes are the numbers of characters that hold 0 to 8 bytes. Monero
// encodes blocks of 8 bytes one by one (Monero source common/base58.cpp).
var base58Sizes = []int{0, 2, 3, 5, 6, 7, 9, 10, 11}

func decodeBase58(s string) ([]byte, bool) {
	var out []byte
	for len(s) > 0 {
		block := s[:min(len(s), base58Sizes[8])]
		s = s[len(block):]
		size := slices.Index(base58Sizes, len(block))
		if size < 0 {
			return nil, false
		}
		var n uint64
		for i := range len(block) {
			digit := strings.IndexByte(base58Alphabet, block[i])
			high, low := bits.Mul64(n, 58)
			sum, carry := bits.Add64(low, uint64(max(digit, 0)), 0)
			if digit < 0 || high+carry != 0 {
				return nil, false
			}
			n = sum
		}
		if size < 8 && n>>(8*size) != 0 {
			return nil, false
		}
		out = append(out, binary.BigEndian.AppendUint64(nil, n)[8-size:]...)
	}
	return out, true
}
