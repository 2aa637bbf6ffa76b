// Runs Tailrace's jobs in a pool of goroutines, which take them from a channel or from a heap.
package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"time"
)

type job struct {
	number    int
	kind      *jobType
	rank      int
	steps     []step
	attempt   int
	eligible  int64
	sequence  int
	due       int64 // before this instant it must not start
	blockers  int   // on how many jobs it still waits
	running   bool
	settled   bool
	cancelled chan struct{} // closed to cancel it while it runs
}

// pool is the scheduler: as many goroutines as there are workers, and one queue.
type pool struct {
	queue  queue
	report *pipe
	starts bool
	types  map[string]*jobType

	lock       sync.Mutex
	jobs       map[int]*job   // those that have not settled
	ended      map[int]bool   // whether those that have settled succeeded
	dependents map[int][]*job // who waits for a job
}

var ranks = map[string]int{"critical": 0, "high": 1, "normal": 2, "low": 3, "batch": 4}

func (p *pool) submit(m message) {
	kind := p.types[m.JobType]
	if m.Priority == "" {
		m.Priority = kind.Priority
	}
	j := &job{number: m.Job, kind: kind, rank: ranks[m.Priority], steps: m.Attempts, attempt: 1, due: now() + m.DelayNS,
		cancelled: make(chan struct{})}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.jobs[j.number] = j
	for _, other := range m.DependsOn {
		succeeded, ended := p.ended[other]
		if ended && !succeeded {
			p.end(j, "dependency_failed")
			return
		}
		if !ended {
			j.blockers++
			p.dependents[other] = append(p.dependents[other], j)
		}
	}
	if j.blockers == 0 {
		p.enqueue(j)
	}
}

// enqueue makes the job eligible when it is due. The lock is held.
func (p *pool) enqueue(j *job) {
	j.eligible = now()
	if wait := j.due - j.eligible; wait > 0 {
		j.eligible = j.due
		time.AfterFunc(time.Duration(wait), func() { p.queue.push(j) })
	} else {
		p.queue.push(j)
	}
}

func (p *pool) cancel(number int) {
	p.lock.Lock()
	defer p.lock.Unlock()
	j := p.jobs[number]
	if j == nil {
		return
	}
	if !j.running {
		p.end(j, "cancelled")
	} else if !isClosed(j.cancelled) {
		close(j.cancelled)
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// end settles a job without an attempt. A queue that holds it drops it later. The lock is held.
func (p *pool) end(j *job, cause string) {
	p.report.add(`{"type":"settled","job":%d,"cause":"%s","settled_ns":%d}`, j.number, cause, now())
	p.settle(j, false)
}

// settle forgets the job, and releases those that wait for it. The lock is held.
func (p *pool) settle(j *job, succeeded bool) {
	j.settled = true
	delete(p.jobs, j.number)
	p.ended[j.number] = succeeded
	waiting := p.dependents[j.number]
	delete(p.dependents, j.number)
	for _, other := range waiting {
		switch {
		case other.settled:
		case !succeeded:
			p.end(other, "dependency_failed")
		default:
			other.blockers--
			if other.blockers == 0 {
				p.enqueue(other)
			}
		}
	}
}

// work is what a worker does: the attempts of one job after the other.
func (p *pool) work(worker string) {
	for {
		j := p.queue.pop()
		p.lock.Lock()
		j.running = !j.settled
		p.lock.Unlock()
		if !j.running {
			continue
		}
		s := j.steps[len(j.steps)-1]
		if j.attempt <= len(j.steps) {
			s = j.steps[j.attempt-1]
		}
		started := now()
		if p.starts {
			p.report.add(`{"type":"started","job":%d,"attempt":%d,"worker":"%s","started_ns":%d}`,
				j.number, j.attempt, worker, started)
		}
		outcome := perform(j, s)
		p.finish(j, worker, started, now(), outcome)
	}
}

var outcomes = map[string]string{
	"succeeds": "succeeded", "fails": "failed", "fails_permanently": "failed_permanently",
}

// perform waits as the plan says, until the limit or a cancellation ends it.
func perform(j *job, s step) string {
	wait, outcome := s.service, outcomes[s.ending]
	if s.ending == "hangs" {
		wait = math.MaxInt64
	}
	if j.kind.LimitNS > 0 && wait > j.kind.LimitNS {
		wait, outcome = j.kind.LimitNS, "timed_out"
	}
	if wait == 0 {
		return outcome
	}
	timer := time.NewTimer(time.Duration(wait))
	defer timer.Stop()
	select {
	case <-timer.C:
		return outcome
	case <-j.cancelled:
		return "cancelled"
	}
}

func (p *pool) finish(j *job, worker string, started, finished int64, outcome string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	again := (outcome == "failed" || outcome == "timed_out") && j.attempt <= j.kind.Retries
	settles := `,"settles":true`
	if again {
		settles = ""
	}
	p.report.add(`{"type":"attempt","job":%d,"attempt":%d,"worker":"%s","eligible_ns":%d,"started_ns":%d,`+
		`"finished_ns":%d,"outcome":"%s"%s}`, j.number, j.attempt, worker, j.eligible, started, finished, outcome, settles)
	j.running = false
	switch {
	case !again:
		p.settle(j, outcome == "succeeded")
	case isClosed(j.cancelled):
		p.end(j, "cancelled")
	default:
		j.due = finished + int64(float64(j.kind.DelayNS)*math.Pow(j.kind.Factor, float64(j.attempt-1)))
		j.attempt++
		p.enqueue(j)
	}
}

func main() {
	systems := map[string]struct {
		lacks, holds string
		queue        func() queue
	}{
		"go-channel": {`"priorities"`, fmt.Sprintf("a channel with room for %d jobs", room),
			func() queue { return make(channel, room) }},
		"go-heap": {"", "a heap of container/heap with a lock", func() queue { return newOrdered() }},
	}
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	system, known := systems[name]
	if !known {
		fmt.Fprintln(os.Stderr, "usage: run go-channel|go-heap")
		os.Exit(64)
	}
	report := newPipe()
	converse(report, func(hello message) *pool {
		p := &pool{queue: system.queue(), report: report, starts: hello.ReportStarts, types: map[string]*jobType{},
			jobs: map[int]*job{}, ended: map[int]bool{}, dependents: map[int][]*job{}}
		for i := range hello.JobTypes {
			kind := &hello.JobTypes[i]
			if kind.Factor == 0 {
				kind.Factor = 1
			}
			p.types[kind.Name] = kind
		}
		for number := 1; number <= hello.Workers; number++ {
			go p.work(fmt.Sprintf("goroutine-%d", number))
		}
		report.add(`{"type":"ready","name":"%s","scheduler_version":"%s","settings":{"queue":"%s","gomaxprocs":"%d"},`+
			`"lacks":[%s],"notes":[]}`, name, runtime.Version(), system.holds, runtime.GOMAXPROCS(0), system.lacks)
		return p
	})
}
