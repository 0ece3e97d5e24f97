package history

import "sync"

// The bounds of the queue. Half a minute of ten thousand events a second fits.
const (
	chunkRecords  = 512
	batchRecords  = 4 * chunkRecords // about as many are written in one transaction
	queueRecords  = 300_000
	queueCapacity = 96 << 20 // bytes, about
)

// queue holds events that are not written yet, in pieces, so that a long one
// is never copied. It is data only; every method returns at once.
type queue struct {
	mu      sync.Mutex // guards what follows
	pieces  []piece
	count   int
	bytes   int
	dropped int // since the last call of lost
}

type piece struct {
	records []record
	bytes   int
}

// put adds a record. Where the queue is full its oldest piece goes: what
// happened last is what people look for. It returns how many went.
func (q *queue) put(r record) (gone int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count >= queueRecords || q.bytes >= queueCapacity {
		first := q.shift()
		gone = len(first.records)
		q.dropped += gone
	}
	if n := len(q.pieces); n == 0 || len(q.pieces[n-1].records) == chunkRecords {
		capacity := 8 // few events are the rule
		if n > 0 {
			capacity = chunkRecords
		}
		q.pieces = append(q.pieces, piece{records: make([]record, 0, capacity)})
	}
	last := &q.pieces[len(q.pieces)-1]
	size := r.size()
	last.records = append(last.records, r)
	last.bytes += size
	q.count++
	q.bytes += size
	return gone
}

// shift removes the oldest piece. The caller holds mu.
func (q *queue) shift() piece {
	first := q.pieces[0]
	q.pieces[0] = piece{}
	q.pieces = q.pieces[1:]
	q.count -= len(first.records)
	q.bytes -= first.bytes
	return first
}

// take removes what is to be written next, nil when there is nothing.
func (q *queue) take() []record {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batch []record
	for len(q.pieces) > 0 && len(batch) < batchRecords {
		if first := q.shift(); batch == nil {
			batch = first.records
		} else {
			batch = append(batch, first.records...)
		}
	}
	return batch
}

// lost returns how many records were dropped since the last call.
func (q *queue) lost() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped
	q.dropped = 0
	return n
}

// len returns how many records wait.
func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}
