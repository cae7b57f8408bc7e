package hcl

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/crypto/sha3"

	"xmrfleet/hcl/hcltest"
)

const donations = hcltest.Wallet

// encode makes an address of a prefix and keys, with big integers and so in
// another way than the decoder.
func encode(prefix byte, keys []byte) string {
	data := append([]byte{prefix}, keys...)
	h := sha3.NewLegacyKeccak256()
	h.Write(data)
	data = append(data, h.Sum(nil)[:4]...)
	var out strings.Builder
	for len(data) > 0 {
		block := data[:min(8, len(data))]
		data = data[len(block):]
		n, digit := new(big.Int).SetBytes(block), new(big.Int)
		chars := make([]byte, []int{0, 2, 3, 5, 6, 7, 9, 10, 11}[len(block)])
		for i := len(chars) - 1; i >= 0; i-- {
			n.DivMod(n, big.NewInt(58), digit)
			chars[i] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit.Int64()]
		}
		out.Write(chars)
	}
	return out.String()
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestWallet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const foreign, length = "it is one of another coin", "it has the length of another kind of address"
	test, stage := "it is one of the test network, where coins have no value", "it is one of the stage network, where coins have no value"
	type row struct{ name, address, want string }
	rows := []row{
		{"donations", donations, ""},
		{"published on the test network", "9ujeXrjzf7bfeK3KZdCqnYaMwZVFuXemPU8Ubw335rj2FN1CdMiWNyFV3ksEfMFvRp9L9qum5UxkP5rN9aLcPxbH1au4WAB", test},
		{"empty", "", "it is empty"},
		{"a word", "monero", "it is not made of 95 or 106 characters of base58"},
		{"cut short", donations[:94], "it is not made of 95 or 106 characters of base58"},
		{"a whole block cut", donations[:88], "its checksum is wrong: there is a typo in it, or a part is missing"},
		{"twice", donations + donations, "it is not made of 95 or 106 characters of base58"},
		{"with a worker", donations + ".mini-1", "it is not made of 95 or 106 characters of base58"},
		{"with a space", donations + " ", "it is not made of 95 or 106 characters of base58"},
		{"a block beyond 64 bits", strings.Repeat("z", 95), "it is not made of 95 or 106 characters of base58"},
		{"bitcoin", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "it is not made of 95 or 106 characters of base58"},
	}
	for range 50 {
		keys, integrated := randomBytes(r, 64), randomBytes(r, 72)
		rows = append(rows,
			row{"standard", encode(18, keys), ""},
			row{"integrated", encode(19, integrated), ""},
			row{"subaddress", encode(42, keys), ""},
			row{"test", encode(53, keys), test},
			row{"test integrated", encode(54, integrated), test},
			row{"test subaddress", encode(63, keys), test},
			row{"stage", encode(24, keys), stage},
			row{"stage integrated", encode(25, integrated), stage},
			row{"stage subaddress", encode(36, keys), stage},
			row{"another coin", encode(66, keys), foreign},
			row{"standard with a payment id", encode(18, integrated), length},
			row{"integrated without one", encode(19, keys), length},
			row{"nothing but a prefix", encode(18, nil), length},
		)
	}
	for _, row := range rows {
		if got := walletDefect(row.address); got != row.want {
			t.Errorf("%s %s: got %q, want %q", row.name, row.address, got, row.want)
		}
	}
}

func TestWalletTypos(t *testing.T) {
	for i := range len(donations) {
		for c := byte(0x20); c < 0x7f; c++ {
			typo := donations[:i] + string(c) + donations[i+1:]
			if typo != donations && walletDefect(typo) == "" {
				t.Errorf("character %d: %q instead of %q was accepted", i, c, donations[i])
			}
		}
		if i > 0 && donations[i] != donations[i-1] {
			swapped := donations[:i-1] + donations[i:i+1] + donations[i-1:i] + donations[i+1:]
			if walletDefect(swapped) == "" {
				t.Errorf("characters %d and %d swapped were accepted", i-1, i)
			}
		}
	}
}
