package history

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"tend/services"
)

// A chunk is packed as
//
//	version   one byte, chunkVersion
//	count     varint, the number of samples n
//	column... of n numbers each, in the order of cell
//
// The first column is the time: the steps that are missing since the sample
// before, or since the beginning of the chunk. The others are the numbers
// themselves: CPU in hundredths of a percent, and each maximum less its mean.
// Of a column the difference of each number to the one before is stored, as a
// signed varint (zigzag). A difference of 0 is followed by a varint that says
// how many more zeros follow it: a server that does nothing takes two bytes a
// column, however long the chunk.
const (
	chunkVersion = 1
	columns      = 11
)

// mostSamples is how many samples a chunk can have at most: a day of spans of
// a quarter of a minute.
const mostSamples = 24 * 60 * 4

var errChunk = errors.New("a chunk of samples cannot be read")

// pack encodes samples in the order of their times, of a chunk that begins at
// the given second.
func pack(samples []services.Sample, begin, step int64) []byte {
	out := append(make([]byte, 0, 32+12*len(samples)), chunkVersion)
	out = binary.AppendUvarint(out, uint64(len(samples)))
	for column := range columns {
		var last int64
		zeros := 0
		next := begin
		for i := range samples {
			value := cell(&samples[i], column, next, step)
			next = samples[i].At.Unix() + step
			if delta := value - last; delta == 0 {
				zeros++
			} else {
				out = appendZeros(out, zeros)
				out, zeros = binary.AppendVarint(out, delta), 0
			}
			last = value
		}
		out = appendZeros(out, zeros)
	}
	return out
}

func appendZeros(out []byte, zeros int) []byte {
	if zeros == 0 {
		return out
	}
	return binary.AppendUvarint(append(out, 0), uint64(zeros-1))
}

// cell is one number of a sample. next is the time at which it would begin if
// nothing were missing.
func cell(s *services.Sample, column int, next, step int64) int64 {
	switch column {
	case 0:
		return (s.At.Unix() - next) / step
	case 1:
		return int64(s.State)
	case 2:
		return hundredths(s.CPU)
	case 3:
		return hundredths(s.CPUMax) - hundredths(s.CPU)
	case 4:
		return int64(s.Memory)
	case 5:
		return int64(s.MemoryMax - s.Memory)
	case 6:
		return int64(s.Read)
	case 7:
		return int64(s.Write)
	case 8:
		return int64(s.Processes)
	case 9:
		return int64(s.Threads)
	}
	return int64(s.Files)
}

func hundredths(percent float64) int64 { return int64(math.Round(percent * 100)) }

// unpack adds to samples what pack has encoded.
func unpack(data []byte, begin, step int64, samples []services.Sample) ([]services.Sample, error) {
	if len(data) == 0 || data[0] != chunkVersion {
		return samples, errChunk
	}
	count, size := binary.Uvarint(data[1:])
	if size <= 0 || count > mostSamples {
		return samples, errChunk
	}
	data = data[1+size:]
	first := len(samples)
	for range count {
		samples = append(samples, services.Sample{})
	}
	for column := range columns {
		var err error
		if data, err = unpackColumn(data, column, samples[first:], begin, step); err != nil {
			return samples[:first], err
		}
	}
	return samples, nil
}

func unpackColumn(data []byte, column int, samples []services.Sample, begin, step int64) ([]byte, error) {
	var value int64
	next := begin
	zeros := uint64(0)
	for i := range samples {
		if zeros > 0 {
			zeros--
		} else {
			delta, size := binary.Varint(data)
			if size <= 0 {
				return nil, errChunk
			}
			data = data[size:]
			value += delta
			if delta == 0 {
				if zeros, size = binary.Uvarint(data); size <= 0 || zeros >= uint64(len(samples)-i) {
					return nil, errChunk
				}
				data = data[size:]
			}
		}
		if column == 0 {
			if value < 0 || value > mostSamples {
				return nil, errChunk
			}
			samples[i].At = services.Time{Time: time.Unix(next+value*step, 0)}
			next += (value + 1) * step
			continue
		}
		setCell(&samples[i], column, value)
	}
	return data, nil
}

func setCell(s *services.Sample, column int, value int64) {
	switch column {
	case 1:
		s.State = services.Vigour(value)
	case 2:
		s.CPU = float64(value) / 100
	case 3:
		s.CPUMax = float64(value+hundredths(s.CPU)) / 100
	case 4:
		s.Memory = services.Amount(value)
	case 5:
		s.MemoryMax = s.Memory + services.Amount(value)
	case 6:
		s.Read = services.Amount(value)
	case 7:
		s.Write = services.Amount(value)
	case 8:
		s.Processes = services.Amount(value)
	case 9:
		s.Threads = services.Amount(value)
	case 10:
		s.Files = services.Amount(value)
	}
}
