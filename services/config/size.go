package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

var units = map[string]float64{
	"B":  1,
	"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "kiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// parseSize reads 64MB, 64 MiB, 1.5GB and the like as bytes.
func parseSize(s string) (int64, error) {
	number := strings.TrimRight(s, "BKMGTkmgtib")
	factor, ok := units[s[len(number):]]
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || value < 0 || math.IsNaN(value) || value*factor >= 1<<62 {
		return 0, fmt.Errorf("wants a size such as 500kB, 64MB or 64MiB, not %s", quoteCut(s, `"`))
	}
	return int64(value * factor), nil
}
