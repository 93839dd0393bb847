package registry

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// The encodings of a census file.
const (
	encodingUTF8    = "UTF-8"
	encodingGB18030 = "GB18030"
)

// decoded is in as UTF-8 without a byte order mark. A file that is not UTF-8 is
// what spreadsheets in China save: GB18030, which holds GBK and GB 2312.
func decoded(in io.ReadSeeker) (io.Reader, string, error) {
	ok, err := isUTF8(in)
	if err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read: %w", err)
	}
	if !ok {
		return transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder()), encodingGB18030, nil
	}
	b := bufio.NewReaderSize(in, 64<<10)
	if mark, err := b.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		_, err = b.Discard(3)
		return b, encodingUTF8, err
	}
	return b, encodingUTF8, nil
}

// isUTF8 reads all of in.
func isUTF8(in io.Reader) (bool, error) {
	buf := make([]byte, 256<<10)
	kept := 0
	for {
		n, err := io.ReadFull(in, buf[kept:])
		part := buf[:kept+n]
		if err == nil { // more may come: a character may be cut
			part = part[:whole(part)]
		} else if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return false, err
		}
		if !utf8.Valid(part) {
			return false, nil
		}
		if err != nil {
			return true, nil
		}
		kept = copy(buf, buf[len(part):])
	}
}

// whole is how many bytes of b are whole characters, if b is UTF-8.
func whole(b []byte) int {
	for i := len(b) - 1; i >= max(0, len(b)-utf8.UTFMax); i-- {
		if utf8.RuneStart(b[i]) {
			if utf8.FullRune(b[i:]) {
				return len(b)
			}
			return i
		}
	}
	return len(b)
}
