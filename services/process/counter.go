package process

// counter adds up what a changing set of processes has used. The sum over them
// drops when one ends that nobody of them has waited for; the total does not.
type counter struct {
	total int64
	last  int64 // the sum that total accounts for
	low   int64 // the sum after a drop
	drop  bool
}

// add tells the present sum. A drop counts as a loss only when it is still
// there the next time: who ended between two reads of one pass is found in the
// count of its parent then.
func (c *counter) add(sum int64) {
	switch {
	case sum >= c.last:
		c.total += sum - c.last
	case !c.drop:
		c.drop, c.low = true, sum
		return
	case sum > c.low:
		c.total += sum - c.low
	}
	c.last, c.drop = sum, false
}
