// Verifies a checkpoint, tiles and proofs with Go's own implementation, and with nothing of Kinward.
//
//	verify VKEY EXPORT PROOFS
//	verify receipt VKEY FILE
//
// A receipt is a file of c2sp.org/tlog-proof, with the leaf in its extra data.
// PROOFS is a JSON file: {"inclusion": [...], "consistency": [...]}, hashes in base64.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proofs struct {
	Inclusion []struct {
		Index, Size int64
		Leaf, Root  []byte
		Hashes      [][]byte
	}
	Consistency []struct {
		Old, Size     int64
		OldRoot, Root []byte
		Hashes        [][]byte
	}
}

// tiles reads C2SP's paths, which lack the height that Go's have.
type tiles struct{ folder string }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	verify := run
	if os.Args[1] == "receipt" {
		verify = func(_, vkey, path string) error { return checkReceipt(vkey, path) }
	}
	if err := verify(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func run(vkey, folder, proofFile string) error {
	tree, err := openCheckpoint(vkey, filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	entries, err := checkEntries(folder, tree)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	var given proofs
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, tiles{folder})
	for _, p := range given.Inclusion {
		proof := hashes(p.Hashes)
		if err := tlog.CheckRecord(proof, p.Size, hash(p.Root), p.Index, hash(p.Leaf)); err != nil {
			return fmt.Errorf("inclusion of %d in %d: %w", p.Index, p.Size, err)
		}
		if p.Size != tree.N {
			continue
		}
		own, err := tlog.ProveRecord(p.Size, p.Index, reader)
		if err != nil {
			return err
		}
		if fmt.Sprint(own) != fmt.Sprint(tlog.RecordProof(proof)) {
			return fmt.Errorf("Go proves the inclusion of %d otherwise", p.Index)
		}
	}
	for _, p := range given.Consistency {
		err := tlog.CheckTree(hashes(p.Hashes), p.Size, hash(p.Root), p.Old, hash(p.OldRoot))
		if err != nil {
			return fmt.Errorf("consistency of %d and %d: %w", p.Old, p.Size, err)
		}
	}
	fmt.Printf("ok: size %d, %d entries, %d inclusion proofs, %d consistency proofs\n",
		tree.N, entries, len(given.Inclusion), len(given.Consistency))
	return nil
}

func checkReceipt(vkey, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, checkpoint, found := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("not a receipt")
	}
	tree, err := openNote(vkey, checkpoint)
	if err != nil {
		return err
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	var entry struct{ Leaf string }
	if err := json.Unmarshal(extra, &entry); err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		one, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, one)
	}
	leaf := tlog.RecordHash([]byte(entry.Leaf))
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
		return err
	}
	fmt.Printf("ok: entry %d of %d\n", index, tree.N)
	return nil
}

func openCheckpoint(vkey, path string) (tlog.Tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openNote(vkey, data)
}

func openNote(vkey string, data []byte) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("not a checkpoint: %q", opened.Text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// checkEntries hashes every entry, and compares the hashes with those that the tree authenticates.
func checkEntries(folder string, tree tlog.Tree) (int64, error) {
	reader := tlog.TileHashReader(tree, tiles{folder})
	files, _ := filepath.Glob(filepath.Join(folder, "entries", "*.jsonl"))
	var next int64
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return next, err
		}
		var indexes []int64
		var computed []tlog.Hash
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			var entry struct{ Leaf string }
			if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
				return next, err
			}
			indexes = append(indexes, tlog.StoredHashIndex(0, next))
			computed = append(computed, tlog.RecordHash([]byte(entry.Leaf)))
			next++
		}
		stored, err := reader.ReadHashes(indexes)
		if err != nil {
			return next, err
		}
		for at, own := range computed {
			if own != stored[at] {
				return next, fmt.Errorf("an entry of %s is not in the tree", filepath.Base(path))
			}
		}
	}
	if next != tree.N {
		return next, fmt.Errorf("%d entries, and a tree of %d", next, tree.N)
	}
	return next, nil
}

func hash(data []byte) (h tlog.Hash) {
	copy(h[:], data)
	return h
}

func hashes(all [][]byte) (list []tlog.Hash) {
	for _, data := range all {
		list = append(list, hash(data))
	}
	return list
}
