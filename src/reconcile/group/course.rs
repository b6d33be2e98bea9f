//! Carrying such operations on, whoever began them.

use tokio::sync::watch;

use crate::domain::backup::{GroupRequest, PartWork, Request};
use crate::domain::operation::Subject;
use crate::domain::{OperationId, Problem};
use crate::reconcile::confirm::{By, check_hash};
use crate::reconcile::engine::Engine;
use crate::store::{NewOperation, StoreError};

use super::hands::Hands;
use super::propose::Proposal;

impl Engine {
    /// Records a confirmed operation that is made of others.
    ///
    /// # Errors
    /// The plan is another one by now, or the records refuse it.
    pub(in crate::reconcile) async fn begin_group(
        &self,
        proposal: Proposal,
        plan_hash: &str,
        by: By,
    ) -> Result<OperationId, Problem> {
        check_hash(&proposal.plan, plan_hash)?;
        let new = NewOperation {
            subject: proposal.subject,
            kind: proposal.kind,
            plan: proposal.plan,
            origin: by.origin,
            goal: Default::default(),
            instance: None,
            action: None,
            request: Some(Request::Group(proposal.layout.request)),
            parent: by.parent,
        };
        if let Some((vault, environment)) = &proposal.vault {
            self.write_vault(vault, environment).await?;
        }
        let begun = self.store().begin_operation(new, None).await;
        if let (Err(_), Some((vault, _))) = (&begun, &proposal.vault) {
            self.withdraw_vault(vault).await;
        }
        Ok(begun?.id)
    }

    /// Carries on with the operation about the environment of a namespace.
    ///
    /// # Errors
    /// As [`Self::carry_group`].
    pub(in crate::reconcile) async fn carry_groups_in(&self, namespace: &str) -> Result<(), Problem> {
        let environments = self.store().environments(self.cluster().name()).await?;
        match environments.into_iter().find(|environment| environment.namespace == namespace) {
            Some(environment) => self.carry_group(&self.subject(&environment.name, "")).await,
            None => Ok(()),
        }
    }

    /// Carries on with the operation about an environment that has not ended, until it has.
    ///
    /// # Errors
    /// The records cannot be read or written.
    pub(in crate::reconcile) async fn carry_group(&self, subject: &Subject) -> Result<(), Problem> {
        let open = self.store().current_operation(subject).await?;
        let Some(view) = open.filter(|view| !view.operation.state.is_final()) else { return Ok(()) };
        let Some(Request::Group(request)) = view.operation.request.clone() else {
            return Err(Problem::new(
                format!("operation {} does not say what it is made of", view.operation.id),
                "it was recorded by another version of Styrmin",
                "cancel it and begin again",
            ));
        };
        // whoever was asked to may have died before it did
        self.cancel_parts(view.operation.id, &request).await?;
        let hands = Hands { engine: self.clone(), operation: view.operation.clone(), request };
        let (_kept, moved) = watch::channel(0);
        self.runner().run(&view.operation, &hands, moved).await?;
        self.cancel_parts(view.operation.id, &hands.request).await?;
        Ok(())
    }

    /// Asks the parts of an operation to end that was cancelled itself, but for those that clear away.
    ///
    /// # Errors
    /// The records cannot be read or written.
    pub(super) async fn cancel_parts(
        &self,
        parent: OperationId,
        request: &GroupRequest,
    ) -> Result<(), StoreError> {
        let view = self.store().operation(parent).await?;
        let Some(actor) = view.and_then(|view| view.operation.orders.cancelled_by) else { return Ok(()) };
        for part in request.parts.iter().filter(|part| part.work != PartWork::Delete) {
            let Some(child) = self.store().part_of(parent, part.step).await? else { continue };
            let child = child.operation;
            if !child.state.is_final() && child.orders.cancelled_by.is_none() {
                match self.store().request_cancel(child.id, &actor).await {
                    // it has ended meanwhile
                    Ok(_) | Err(StoreError::Refused { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
