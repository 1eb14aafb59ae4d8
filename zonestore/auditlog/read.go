package auditlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"secondaryd/internal/window"
)

// The head of a file: magic, of which the last octet is the version, number of
// the file, CRC-32C of both.
const (
	fileMagic  = "SDAUDT\x00\x01"
	fileHead   = len(fileMagic) + 8 + 4
	fileDigits = 8
	fileSuffix = ".log"
)

// Why a file can't be read.
var (
	ErrDamaged = errors.New("the audit log is damaged")
	ErrNewer   = errors.New("the audit log was written by a newer secondaryd")
)

// Damage says which octets of a file are no records.
type Damage struct {
	Path   string
	Offset int64
	Octets int64
	Detail string
	AtEnd  bool // nothing follows: it may be a write that a crash interrupted
}

func (d *Damage) Error() string {
	return fmt.Sprintf("%s: %d octets from %d on are damaged: %s", d.Path, d.Octets, d.Offset, d.Detail)
}

// Is makes every Damage an ErrDamaged.
func (d *Damage) Is(target error) bool { return target == ErrDamaged }

// Path is where a file of the log in dir lies.
func Path(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%0*d%s", fileDigits, number, fileSuffix))
}

// Files lists the numbers of the files of a log, the oldest first; none when
// there is no folder.
func Files(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, e := range entries {
		text, ok := strings.CutSuffix(e.Name(), fileSuffix)
		number, err := strconv.ParseUint(text, 10, 64)
		if ok && err == nil && Path(dir, number) == filepath.Join(dir, e.Name()) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// Item is what lies at one place of a file: a record, or damage. The body's
// memory is the reader's only until the next item.
type Item struct {
	Record Record
	Offset int64
	End    int64   // where the next one begins
	Damage *Damage // nil for a record
}

// Read yields what lies in a file, in order, and an error that ends it. It goes
// on behind damage, which it yields as an item.
func Read(dir string, number uint64) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		file, err := os.Open(Path(dir, number))
		if err != nil {
			yield(Item{}, err)
			return
		}
		defer file.Close()
		for item, err := range scan(file, number) {
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// scan reads an open file.
func scan(file *os.File, number uint64) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		info, err := file.Stat()
		if err == nil {
			err = checkHead(file, number)
		}
		if err != nil {
			yield(Item{}, err)
			return
		}
		size, next := info.Size(), uint32(0)
		w := window.New(file, size)
		for off := int64(fileHead); off < size; {
			item, err := itemAt(w, off, size, number, next)
			if err != nil {
				yield(Item{}, fmt.Errorf("read %s: %w", file.Name(), err))
				return
			}
			if item.Damage != nil {
				item.Damage.Path = file.Name()
			}
			if !yield(item, nil) {
				return
			}
			off, next = item.End, next+1
			if item.Damage != nil && off < size {
				next = numberAt(w, off, number)
			}
		}
	}
}

func checkHead(file *os.File, number uint64) error {
	var b [fileHead]byte
	n, err := file.ReadAt(b[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	body, version := b[:fileHead-4], len(fileMagic)-1
	if n < fileHead || crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(b[fileHead-4:]) || string(b[:version]) != fileMagic[:version] {
		return &Damage{Path: file.Name(), Octets: int64(n), Detail: "no head of a file of the audit log"}
	}
	if b[version] != fileMagic[version] {
		return fmt.Errorf("%s has version %d: %w", file.Name(), b[version], ErrNewer)
	}
	if got := binary.BigEndian.Uint64(b[len(fileMagic):]); got != number {
		return &Damage{Path: file.Name(), Octets: int64(n), Detail: fmt.Sprintf("it was written as number %d", got)}
	}
	return nil
}

func newFileHead(number uint64) []byte {
	b := append(make([]byte, 0, fileHead), fileMagic...)
	return appendSum(binary.BigEndian.AppendUint64(b, number))
}

func appendSum(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// itemAt reads what lies at off, where the record of a number is expected. A
// disk that can't be read is an error and no damage.
func itemAt(w *window.Window, off, size int64, file uint64, next uint32) (Item, error) {
	h, body, err := recordAt(w, off, file)
	if err != nil && !isDamage(err) {
		return Item{}, err
	}
	if err == nil && h.number == next {
		return Item{Record: Record{h.kind, h.mark, body}, Offset: off, End: off + h.size()}, nil
	}
	end := off
	if err == nil {
		err = fmt.Errorf("record %d belongs here, and record %d follows", next, h.number)
	} else {
		var readErr error
		if end, readErr = nextRecord(w, off+1, size, file); readErr != nil {
			return Item{}, readErr
		}
	}
	return Item{Offset: off, End: end, Damage: &Damage{Offset: off, Octets: end - off, Detail: err.Error(), AtEnd: end == size}}, nil
}

func isDamage(err error) bool {
	return errors.Is(err, errHead) || errors.Is(err, errBody) || errors.Is(err, errCut)
}

// recordAt reads the record at off.
func recordAt(w *window.Window, off int64, file uint64) (h head, body []byte, err error) {
	b, err := w.At(off, recordHead)
	if err != nil {
		return head{}, nil, cutOff(err)
	}
	if h, err = decodeHead(b, file); err != nil {
		return head{}, nil, err
	}
	b, err = w.At(off, h.size())
	if err != nil {
		return h, nil, cutOff(err)
	}
	if crc32.Checksum(b[recordHead:], castagnoli) != h.sum {
		return h, nil, errBody
	}
	return h, b[recordHead:], nil
}

func cutOff(err error) error {
	if errors.Is(err, window.ErrEnd) {
		return errCut
	}
	return err
}

// nextRecord returns where the next head of a record lies at or behind off, or
// the size.
func nextRecord(w *window.Window, off, size int64, file uint64) (int64, error) {
	for {
		if off = w.Find(off, []byte(recordMagic)); off == size {
			return size, nil
		}
		b, err := w.At(off, recordHead)
		if errors.Is(err, window.ErrEnd) {
			return size, nil
		}
		if err != nil {
			return 0, err
		}
		if _, err := decodeHead(b, file); err == nil {
			return off, nil
		}
		off++
	}
}

// numberAt is the number of the record whose head lies at off.
func numberAt(w *window.Window, off int64, file uint64) uint32 {
	b, err := w.At(off, recordHead)
	if err != nil {
		return 0
	}
	h, _ := decodeHead(b, file)
	return h.number
}
