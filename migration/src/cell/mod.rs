//! The schema `cell` of every cell: what its clinics share there. In the control database its first step is taken by
//! steps of the control schema. No PHI.

crate::sql_steps! {
    "c0001_hints"
    "c0002_moves"
}
