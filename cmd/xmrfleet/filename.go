package main

import "errors"

// A fileName is the value of a flag. It is not empty where the flag is given:
// "apply $PLAN" must not mean apply where the variable is empty.
type fileName string

// UnmarshalText is called by kong.
func (f *fileName) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("a file name is empty")
	}
	*f = fileName(text)
	return nil
}
