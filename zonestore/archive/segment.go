package archive

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"secondaryd/zonestore/zone"
)

// segment is an append-only file of records.
type segment struct {
	number uint32
	file   *os.File
	mark   mark
	fsync  func(*os.File) error
	end    atomic.Int64 // where the next record goes; moved with Archive.write held

	// Guarded by Archive.mu.
	live  int64  // octets of records that still count
	aside string // suffix of the name under which the file is kept in the end, if it is not removed

	syncing sync.Mutex // held during an fsync; guards the fields below
	synced  int64      // up to where the file is on disk
	failed  error      // of an fsync, see broken

	// broken is set when an fsync has failed: what the file holds behind synced
	// can't be relied on, whatever a second fsync says.
	broken atomic.Bool
}

const (
	segments      = "segments"
	segmentMagic  = "SDSEGM\x00\x01" // the last octet is the version
	segmentHead   = len(segmentMagic) + len(mark{}) + 4
	maxSegment    = 32 << 20
	segmentDigits = 8
)

func segmentName(number uint32) string {
	return filepath.Join(segments, fmt.Sprintf("%0*d", segmentDigits, number))
}

// segmentNumber reads the number that a file's name begins with.
func segmentNumber(name string) (number uint32, suffix string, ok bool) {
	if len(name) < segmentDigits {
		return 0, "", false
	}
	n, err := strconv.ParseUint(name[:segmentDigits], 10, 32)
	return uint32(n), name[segmentDigits:], err == nil && n > 0
}

// createSegment makes an empty segment.
func createSegment(root *os.Root, number uint32, fsync func(*os.File) error) (*segment, error) {
	if err := root.MkdirAll(segments, 0o700); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(segmentName(number), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s := &segment{number: number, file: f, fsync: fsync}
	if err := s.begin(root); err != nil {
		return nil, errors.Join(err, f.Close(), root.Remove(segmentName(number)))
	}
	return s, nil
}

func (s *segment) begin(root *os.Root) error {
	if _, err := rand.Read(s.mark[:]); err != nil {
		return err
	}
	b := append(make([]byte, 0, segmentHead), segmentMagic...)
	b = append(b, s.mark[:]...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := s.file.WriteAt(b, 0); err != nil {
		return err
	}
	s.end.Store(int64(segmentHead))
	return errors.Join(syncFolder(root, segments, s.fsync), syncFolder(root, ".", s.fsync))
}

// readHead reads the beginning of a segment that is there already.
func (s *segment) readHead() error {
	var b [segmentHead]byte
	if _, err := s.file.ReadAt(b[:], 0); err != nil {
		return fmt.Errorf("%w: segment: %w", zone.ErrDamaged, err)
	}
	body, sum := b[:segmentHead-4], binary.LittleEndian.Uint32(b[segmentHead-4:])
	version := len(segmentMagic) - 1
	if crc32.Checksum(body, castagnoli) != sum || string(body[:version]) != segmentMagic[:version] {
		return fmt.Errorf("%w: no head of a segment", zone.ErrDamaged)
	}
	if body[version] != segmentMagic[version] {
		return fmt.Errorf("%w: segment of version %d, this release reads %d", zone.ErrVersion, body[version], segmentMagic[version])
	}
	s.mark = mark(body[len(segmentMagic):])
	return nil
}

// append writes one record. A part of it that a full disk left behind is
// written over by the next. The caller holds Archive.write.
func (s *segment) append(frame []byte) (place, error) {
	at := s.end.Load()
	if _, err := s.file.WriteAt(frame, at); err != nil {
		return place{}, err
	}
	s.end.Store(at + int64(len(frame)))
	return place{segment: s.number, offset: uint32(at), size: uint32(len(frame))}, nil
}

// syncTo returns when the file up to end is on disk. Those who wait meanwhile
// find theirs done by the one fsync that follows: it takes all that was written
// before it began.
func (s *segment) syncTo(end int64) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.synced >= end {
		return nil
	}
	if s.failed != nil {
		return s.failed
	}
	written := s.end.Load()
	if err := s.fsync(s.file); err != nil {
		s.failed = fmt.Errorf("sync segment %d: %w", s.number, err)
		s.broken.Store(true)
		return s.failed
	}
	s.synced = written
	return nil
}

func syncFolder(root *os.Root, name string, fsync func(*os.File) error) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(fsync(f), f.Close())
}
