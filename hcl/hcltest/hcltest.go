// Package hcltest has what tests write into fleet files. It is for tests only:
// nothing that is shipped may import it. What is added here is needed by the
// tests of several packages and passes every check of package hcl.
package hcltest

// Wallet is the donation address of the Monero project: a payment to it is no
// loss, should a test ever mine.
const Wallet = "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"
