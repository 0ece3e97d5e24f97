package process

import "testing"

func TestACounterNeverGoesBackwards(t *testing.T) {
	for _, tt := range []struct {
		what string
		sums []int64
		want []int64
	}{
		{"it grows with the sum", []int64{5, 5, 9}, []int64{5, 5, 9}},
		{"who is lost is not taken off, and what follows counts", []int64{100, 40, 40, 45}, []int64{100, 100, 100, 105}},
		{"what the others use while the loss is noticed counts", []int64{100, 40, 47, 50}, []int64{100, 100, 107, 110}},
		{"who is found in its parent's count is counted once", []int64{100, 40, 110, 120}, []int64{100, 100, 110, 120}},
		{"two losses in a row", []int64{100, 60, 20, 25}, []int64{100, 100, 100, 105}},
		{"everything ends", []int64{7, 0, 0, 3}, []int64{7, 7, 7, 10}},
	} {
		var c counter
		for i, sum := range tt.sums {
			if c.add(sum); c.total != tt.want[i] {
				t.Errorf("%s: after %v it is %d, want %d", tt.what, tt.sums[:i+1], c.total, tt.want[i])
			}
		}
	}
}
