package main

import (
	"container/heap"
	"sync"
)

// queue holds jobs that may start now.
type queue interface {
	push(*job)
	pop() *job // waits for a job
}

// room is how many jobs the channel holds.
const room = 1_000_000

// channel is Go's usual queue of a pool of workers.
type channel chan *job

func (c channel) push(j *job) {
	select {
	case c <- j:
	default:
		// A worker that waited for room could wait for ever, since workers make it.
		go func() { c <- j }()
	}
}

func (c channel) pop() *job { return <-c }

// ordered is a heap: the most urgent job is first, among equals the one that could start first.
type ordered struct {
	lock     sync.Mutex
	some     *sync.Cond
	jobs     byUrgency
	sequence int
}

func newOrdered() *ordered {
	o := &ordered{}
	o.some = sync.NewCond(&o.lock)
	return o
}

func (o *ordered) push(j *job) {
	o.lock.Lock()
	o.sequence++
	j.sequence = o.sequence
	heap.Push(&o.jobs, j)
	o.lock.Unlock()
	o.some.Signal()
}

func (o *ordered) pop() *job {
	o.lock.Lock()
	defer o.lock.Unlock()
	for len(o.jobs) == 0 {
		o.some.Wait()
	}
	return heap.Pop(&o.jobs).(*job)
}

type byUrgency []*job

func (b byUrgency) Len() int      { return len(b) }
func (b byUrgency) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b *byUrgency) Push(j any)   { *b = append(*b, j.(*job)) }

func (b byUrgency) Less(i, j int) bool {
	if b[i].rank != b[j].rank {
		return b[i].rank < b[j].rank
	}
	return b[i].sequence < b[j].sequence
}

func (b *byUrgency) Pop() any {
	last := len(*b) - 1
	j := (*b)[last]
	(*b)[last] = nil
	*b = (*b)[:last]
	return j
}
