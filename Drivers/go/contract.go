package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// The messages of the streamed driver contract (docs/driver-protocol.md).

type jobType struct {
	Name     string  `json:"name"`
	Priority string  `json:"priority"`
	Retries  int     `json:"retries"`
	DelayNS  int64   `json:"retry_delay_ns"`
	Factor   float64 `json:"retry_factor"`
	LimitNS  int64   `json:"timeout_ns"`
}

type message struct {
	Type         string    `json:"type"`
	Version      int       `json:"version"`
	Workers      int       `json:"workers"`
	ReportStarts bool      `json:"report_starts"`
	JobTypes     []jobType `json:"job_types"`
	Job          int       `json:"job"`
	JobType      string    `json:"job_type"`
	Priority     string    `json:"priority"`
	Attempts     []step    `json:"attempts"`
	DelayNS      int64     `json:"delay_ns"`
	DependsOn    []int     `json:"depends_on"`
}

// step says what one attempt does.
type step struct {
	service int64
	ending  string
}

func (s *step) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&s.service, &s.ending})
}

// pipe writes lines to Tailrace. Lines that arrive during a write share the next one.
type pipe struct {
	lock   sync.Mutex
	lines  [][]byte
	wake   chan struct{}
	writes sync.Mutex
}

// One write has at most so many bytes.
const limit = 4096

func newPipe() *pipe {
	p := &pipe{wake: make(chan struct{}, 1)}
	go func() {
		for range p.wake {
			p.flush()
		}
	}()
	return p
}

func (p *pipe) add(format string, values ...any) {
	line := []byte(fmt.Sprintf(format+"\n", values...))
	p.lock.Lock()
	p.lines = append(p.lines, line)
	p.lock.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pipe) flush() {
	p.writes.Lock()
	defer p.writes.Unlock()
	p.lock.Lock()
	lines := p.lines
	p.lines = nil
	p.lock.Unlock()
	var block []byte
	for _, line := range lines {
		if len(block)+len(line) > limit {
			os.Stdout.Write(block)
			block = block[:0]
		}
		block = append(block, line...)
	}
	os.Stdout.Write(block)
}

// end writes the last line, and ends the program. Nothing follows it, since it keeps the lock of the writes.
func (p *pipe) end(status int) {
	p.flush()
	p.writes.Lock()
	os.Stdout.WriteString(`{"type":"done"}` + "\n")
	os.Exit(status)
}

var (
	begin  = time.Now()
	offset = measureOffset()
)

// now is the instant in nanoseconds of CLOCK_MONOTONIC. Go's own monotonic clock is that clock, but starts anew in each
// process; and it takes no system call.
func now() int64 {
	return int64(time.Since(begin)) + offset
}

func measureOffset() int64 {
	best, shortest := int64(0), time.Hour
	for trial := 0; trial < 20; trial++ {
		var clock syscall.Timespec
		before := time.Since(begin)
		syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&clock)), 0)
		after := time.Since(begin)
		if after-before < shortest {
			best, shortest = clock.Nano()-int64(after), after-before
		}
	}
	return best
}

// converse reads Tailrace's messages until the end.
func converse(report *pipe, start func(hello message) *pool) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-signals
		report.end(0)
	}()
	var scheduler *pool
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(make([]byte, 65536), 1<<20)
	for input.Scan() {
		var m message
		if err := json.Unmarshal(input.Bytes(), &m); err != nil {
			fmt.Fprintf(os.Stderr, "a line from Tailrace is not as the contract says: %v\n", err)
			report.end(1)
		}
		switch {
		case m.Type == "hello" && m.Version == 1:
			scheduler = start(m)
		case scheduler == nil:
			report.add(`{"type":"unable","reason":"the driver speaks version 1 of the contract"}`)
			report.end(0)
		case m.Type == "job":
			before := now()
			scheduler.submit(m)
			report.add(`{"type":"accepted","job":%d,"submitted_ns":%d,"accepted_ns":%d}`, m.Job, before, now())
		case m.Type == "cancel":
			scheduler.cancel(m.Job)
		case m.Type == "stop":
			report.end(0)
		}
	}
	report.end(0)
}
