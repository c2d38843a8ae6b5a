# SPDX-License-Identifier: Apache-2.0
r"""The archive format, in prose, version by version.

An archive is one HDF5 file for one study. It can be read with h5py alone, on any machine, and no
byte of it depends on how or when the code that wrote it was laid out: records have names, never
class paths, nothing is pickled, and there are no timestamps, so that identical records make
identical files.

Common to all versions
    The root has the attributes ``format`` (always ``"qlowrank"``) and ``schema_version`` (an
    integer). A reader that meets a larger version than it knows refuses and says so; smaller ones
    it brings up to date in memory with `qlowrank.archive.migrations`. A new *kind* of record does
    not raise the version; a change of what a kind that exists already holds does.

Version 1
    *Root attributes.* ``creator`` and ``creator_version``; ``version_numpy``, ``version_scipy``,
    ``version_pyscf``, ``version_qiskit``, ``version_openfermion``, ``version_h5py`` and
    ``version_hdf5``; the conventions ``convention_units`` (hartree), ``convention_index_order``
    (chemists' (pq|rs)) and ``convention_spin_order`` (alpha block first). Where a Hamiltonian or a
    factorization is held: ``source_name``, ``source_origin``, ``input_sha256`` and, where the
    molecule is known, ``formula``, ``geometry`` (Ångström, one line an atom), ``basis``,
    ``charge`` and ``spin``. Where the run is recorded: ``command``, ``parameters`` (JSON) and
    ``seed``. Last, ``content_sha256``, the SHA-256 of the text with one line
    ``"<path> <sha256>\n"`` for every dataset, sorted by path.

    *Records.* Each record is a group at the root, named by its kind: ``hamiltonian``,
    ``factorization``, ``determinant_state``, ``cisd_state``, ``fci_state``, ``plan``, ``estimate``,
    ``experiments``, ``run``; at most one of each. Each field is a member with the field's name:

    - a number, a truth value or a text is a scalar dataset; an array is a dataset of its shape;
    - a tuple of numbers is a one-dimensional dataset;
    - a record inside a record is a group with that record's fields;
    - a tuple of arrays is a group with a scalar ``length`` and the datasets ``0``, ``1``, …;
    - a tuple of records is a group with that record's fields, each stacked along a leading axis
      (``group`` for the operators of a plan, ``reference`` for energies of the source), so that
      ten thousand groups are still four datasets;
    - None is a dataset with a null dataspace.

    *Datasets.* Real numbers are little-endian float64, integers little-endian int64, truth values
    uint8, texts UTF-8 of fixed length padded with zeros; C order. Arrays that are not empty are
    chunked, about 1 MiB a chunk, whole trailing axes first so that rows of a leading axis can be
    read alone, and go through shuffle, gzip (level 4) and fletcher32. Every dataset has the
    attributes ``units``, ``axes`` (names of its axes, separated by commas; empty for a scalar) and
    ``sha256``: of the ASCII text ``dtype.str + str(shape)`` in NumPy's spelling, such as
    ``<f8(3, 2, 2)``, followed by the raw bytes; for a null dataset, of the ASCII text ``null``.
    Files are written in HDF5's format of version 1.10 (2016), whatever the library's version: its
    metadata carry checksums of their own, and small files are a third of what older formats make.

Version 2
    A ``plan`` has ``bias`` (a record: ``bound``, ``scope``, ``dropped``), and its ``pricing`` has
    ``spent``; files of version 1 have no bias, and nothing spent. An ``estimate`` has ``shots``
    and ``selection`` (a record: ``method``, ``discarded``, ``shift``, ``shift_error``); those of
    version 1 counted all shots, and had as many as the plan beside them (0 stands where there is
    no plan). The kind ``measurements`` is new.

Version 3
    An ``estimate`` has ``believed``, the variances behind its standard error, and ``experiments``
    have ``sample_standard_errors``; in earlier versions both errors came from samples alone.
"""

FORMAT = "qlowrank"
"""What the root attribute `format` says."""

SCHEMA_VERSION = 3
"""Version of the layout that is written; all earlier ones are read."""

CHUNK_BYTES = 2**20
"""About how large a chunk is."""

LIBVER = ("v110", "v110")
"""Oldest and newest HDF5 format a file may use."""
