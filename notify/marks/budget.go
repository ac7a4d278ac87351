package marks

import "time"

const (
	// DefaultShare is the part of one processor that examinations may use on average,
	// beside the listing of /proc: so that both together stay below a hundredth.
	DefaultShare = 0.006

	// small is the processor time up to which an examination is not a large one.
	small = 4 * time.Millisecond

	// burst is the time for which a budget that is not used is saved up.
	burst = 10 * time.Second
)

// The share is divided evenly, so that a few descriptors with very many marks do not delay
// all others, and neither delays who has just been named.
// What one does not need the others get.
const (
	paysSmall = iota
	paysLarge
	paysHinted
	budgets
)

// budget is processor time to spend. It may be overdrawn by one examination, since what that
// costs is known only afterwards; then nothing is spent until the debt is paid.
type budget struct {
	share float64
	left  time.Duration
	at    time.Time
}

func newBudget(share float64, now time.Time) budget {
	return budget{share: share, left: part(burst, share), at: now}
}

// earn adds what the time since the last call is worth, and gives what does not fit.
func (b *budget) earn(now time.Time) (surplus time.Duration) {
	passed := now.Sub(b.at)
	if passed <= 0 {
		return 0
	}
	b.at = now
	return b.add(part(passed, b.share))
}

func (b *budget) add(d time.Duration) (surplus time.Duration) {
	full := part(burst, b.share)
	surplus = max(0, b.left+d-full)
	b.left = min(b.left+d, full)
	return surplus
}

func (b *budget) open() bool { return b.left > 0 }

func (b *budget) spend(d time.Duration) { b.left -= d }

func part(d time.Duration, share float64) time.Duration { return time.Duration(float64(d) * share) }
