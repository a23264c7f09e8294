//! Words of the control schema as enums of the API.

/// A word of the control schema.
pub(crate) trait Stored {
    /// As it is stored.
    fn code(self) -> &'static str;
    /// What is stored as this.
    fn read(code: &str) -> Self;
}

/// An enum whose values are stored as their names. What another build wrote and this one does not know is `OTHER`.
macro_rules! stored {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $value:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(async_graphql::Enum, Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name {
            $($(#[$of])* $value,)+
            /// Something that this build does not know.
            Other,
        }

        impl Stored for $name {
            fn code(self) -> &'static str {
                match self {
                    $(Self::$value => $code,)+
                    Self::Other => "",
                }
            }

            fn read(code: &str) -> Self {
                match code {
                    $($code => Self::$value,)+
                    _ => Self::Other,
                }
            }
        }
    };
}

stored! {
    /// Where a clinic stands.
    TenantState {
        /// Being made.
        Provisioning = "PROVISIONING",
        /// Served.
        Active = "ACTIVE",
        /// Served; payment is late.
        PastDue = "PAST_DUE",
        /// Not served.
        Suspended = "SUSPENDED",
        /// Read-only; payment is long overdue.
        Locked = "LOCKED",
        /// Leaving.
        Offboarding = "OFFBOARDING",
        /// Kept, not served.
        Archived = "ARCHIVED",
        /// Keys destroyed.
        Shredded = "SHREDDED",
    }
}

stored! {
    /// What a clinic is limited in.
    QuotaName {
        /// Accounts that can sign in.
        Seats = "SEATS",
        /// Bytes of documents, their versions, and what was imported.
        Storage = "STORAGE",
    }
}

stored! {
    /// How far an operation is.
    OperationState {
        /// It waits for somebody who does it.
        Pending = "PENDING",
        /// It is under way, or whoever did it was killed and it is taken up soon.
        Running = "RUNNING",
        /// It is done.
        Done = "DONE",
        /// It failed; asked for again under its key it is tried again.
        Failed = "FAILED",
    }
}

stored! {
    /// What an operation is about.
    OperationKind {
        /// A clinic written into a file.
        Export = "EXPORT",
        /// A clinic brought back from a file.
        Restore = "RESTORE",
        /// A sandbox made of a clinic.
        Clone = "CLONE",
        /// A clinic's keys destroyed.
        Shred = "SHRED",
        /// A clinic made.
        Provision = "PROVISION",
        /// Schemas made ahead of need.
        PoolFill = "POOL_FILL",
        /// Schemas brought forward.
        Migrate = "MIGRATE",
        /// A clinic brought to another cell.
        Move = "MOVE",
    }
}

stored! {
    /// How far a run of migrations is.
    MigrationRunState {
        /// Under way; or it was killed, and the next one closes it.
        Running = "RUNNING",
        /// All clinics got there.
        Done = "DONE",
        /// Some did.
        Partial = "PARTIAL",
        /// None did.
        Failed = "FAILED",
    }
}

stored! {
    /// How far a run is with a clinic.
    MigrationItemState {
        /// Not begun, or under way.
        Pending = "PENDING",
        /// It got there.
        Done = "DONE",
        /// It could not be migrated.
        Failed = "FAILED",
    }
}

stored! {
    /// What a cell is for.
    CellRole {
        /// New clinics go there.
        Active = "active",
        /// It takes no new clinics.
        Draining = "draining",
        /// It holds sandboxes.
        Sandbox = "sandbox",
    }
}

stored! {
    /// How a step is applied.
    MigrationWay {
        /// In one transaction.
        Transaction = "transaction",
        /// By statements that stand outside of transactions.
        Concurrent = "concurrent",
        /// Batch by batch.
        Batches = "batches",
    }
}

stored! {
    /// Which operations a clinic's programs may send.
    OperationMode {
        /// Whatever they write.
        Open = "OPEN",
        /// Such as were sent whole before.
        Apq = "APQ",
        /// Such as were registered.
        Registered = "REGISTERED",
    }
}
