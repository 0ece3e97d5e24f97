package remote

import "time"

// SetPatience says how long Watch looks for the next manager.
func SetPatience(c *Client, d time.Duration) { c.patience = d }
