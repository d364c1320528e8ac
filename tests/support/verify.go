// Verifies a checkpoint, tiles and proofs with Go's own implementation, and with nothing of Kinward.
//
//	verify VKEY EXPORT PROOFS
//	verify receipt VKEY FILE
//
// VKEY is the first key of the log. EXPORT may have rotations.jsonl: proofs of entries that name the
// next key, each under a checkpoint that both keys signed. From there on only the next key counts.
// A receipt is a file of c2sp.org/tlog-proof, with the leaf in its extra data.
// PROOFS is a JSON file: {"inclusion": [...], "consistency": [...]}, hashes in base64.
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
	rotations, err := readRotations(vkey, folder)
	if err != nil {
		return err
	}
	note, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openInForce(vkey, rotations, note)
	if err != nil {
		return err
	}
	if err := checkEarlier(vkey, rotations, folder, tree); err != nil {
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
	fmt.Printf("ok: size %d, %d entries, %d inclusion proofs, %d consistency proofs",
		tree.N, entries, len(given.Inclusion), len(given.Consistency))
	if len(rotations) > 0 {
		fmt.Printf(", %d changes of the key", len(rotations))
	}
	fmt.Println()
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
	if err := checkLeaf(lines[2:], tree, entry.Leaf); err != nil {
		return err
	}
	fmt.Printf("ok: entry %s of %d\n", strings.TrimPrefix(lines[2], "index "), tree.N)
	return nil
}

// checkLeaf verifies the lines of a proof: the index, and the hashes.
func checkLeaf(lines []string, tree tlog.Tree, leaf string) error {
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		one, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, one)
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash([]byte(leaf)))
}

type rotation struct {
	after string
	size  int64
}

// readRotations follows the keys of the log from the first one on.
func readRotations(vkey, folder string) (all []rotation, err error) {
	data, err := os.ReadFile(filepath.Join(folder, "rotations.jsonl"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var proof string
		if err := json.Unmarshal(line, &proof); err != nil {
			return nil, err
		}
		one, err := checkRotation(vkey, proof)
		if err != nil {
			return nil, fmt.Errorf("a rotation: %w", err)
		}
		all, vkey = append(all, one), one.after
	}
	return all, nil
}

func checkRotation(before, proof string) (one rotation, err error) {
	head, checkpoint, found := strings.Cut(proof, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 {
		return one, fmt.Errorf("not a proof")
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return one, err
	}
	var entry struct {
		Leaf string
		Data [2]string
	}
	if err := json.Unmarshal(extra, &entry); err != nil {
		return one, err
	}
	told, err := committed(entry.Leaf, entry.Data)
	if err != nil {
		return one, err
	}
	if told.Before != before {
		return one, fmt.Errorf("it begins with another key")
	}
	tree, err := openNote(before, []byte(checkpoint))
	if err != nil {
		return one, err
	}
	if _, err := openNote(told.After, []byte(checkpoint)); err != nil {
		return one, err
	}
	return rotation{told.After, tree.N}, checkLeaf(lines[2:], tree, entry.Leaf)
}

type keys struct{ Before, After string }

// committed returns the keys that an entry names, once its leaf commits to them.
func committed(leaf string, data [2]string) (told keys, err error) {
	var values []string
	if _, body, _ := strings.Cut(leaf, "\n"); json.Unmarshal([]byte(body), &values) != nil || len(values) != 5 {
		return told, fmt.Errorf("not a leaf")
	}
	salt, err := hex.DecodeString(data[0])
	if err != nil {
		return told, err
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte("data\x00" + data[1]))
	if values[1] != "ledger.key_rotated" || values[4] != hex.EncodeToString(mac.Sum(nil)) {
		return told, fmt.Errorf("the entry does not commit to this change of the key")
	}
	var content struct{ Fact keys }
	err = json.Unmarshal([]byte(data[1]), &content)
	return content.Fact, err
}

// checkEarlier opens each earlier checkpoint with the key that was in force at its size.
func checkEarlier(vkey string, rotations []rotation, folder string, tree tlog.Tree) error {
	data, _ := os.ReadFile(filepath.Join(folder, "checkpoints.jsonl"))
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var text string
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &text); err != nil {
			return err
		}
		earlier, err := openInForce(vkey, rotations, []byte(text))
		if err != nil {
			return fmt.Errorf("an earlier checkpoint: %w", err)
		}
		root, err := tlog.TreeHash(earlier.N, tlog.TileHashReader(tree, tiles{folder}))
		if err != nil || root != earlier.Hash {
			return fmt.Errorf("the tree does not go on from size %d", earlier.N)
		}
	}
	return nil
}

// openInForce opens a checkpoint, and refuses it unless the key signed it that counts at its size.
func openInForce(vkey string, rotations []rotation, data []byte) (tree tlog.Tree, err error) {
	size, err := strconv.ParseInt(strings.SplitN(string(data)+"\n\n", "\n", 3)[1], 10, 64)
	if err != nil {
		return tree, err
	}
	for _, one := range rotations {
		if size > one.size {
			vkey = one.after
		}
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
